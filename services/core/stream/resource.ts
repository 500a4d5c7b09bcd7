/** One resource as it goes to proxies. Never changed: every stream shares the same object. */
export interface SnapshotResource {
  readonly name: string;
  /** Content hash of `body`, the same on every replica. */
  readonly version: string;
  /** An encoded google.protobuf.Any. */
  readonly body: Uint8Array;
}

/** All that a scope should have: resources by name, by type URL. Never changed, only replaced. */
export type Snapshot = ReadonlyMap<
  string /* type URL */,
  ReadonlyMap<string /* name */, SnapshotResource>
>;

/** The resources of one type, by name. */
export type Resources = ReadonlyMap<string, SnapshotResource>;

export const NO_RESOURCES: Resources = new Map();

const differences = new WeakMap<Resources, WeakMap<Resources, readonly string[]>>();

/**
 * Names that differ between two sets: added, removed, or of another version. Worked out once for
 * each pair, because the proxies of a scope all step between the same two.
 */
export function changedNames(before: Resources, after: Resources): readonly string[] {
  if (before === after) return [];
  let known = differences.get(before);
  if (known === undefined) {
    known = new WeakMap();
    differences.set(before, known);
  }
  let names = known.get(after);
  if (names === undefined) {
    names = compare(before, after);
    known.set(after, names);
  }
  return names;
}

function compare(before: Resources, after: Resources): readonly string[] {
  const names: string[] = [];
  for (const [name, { version }] of after) {
    if (before.get(name)?.version !== version) names.push(name);
  }
  for (const name of before.keys()) {
    if (!after.has(name)) names.push(name);
  }
  return names;
}
