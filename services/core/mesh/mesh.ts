import type { Kind, Resource } from "./resource.ts";

/** One mesh at one revision: what all commits up to it left. Never changed, only replaced. */
export interface Mesh {
  readonly name: string;
  /** Which life of the log this is, from its first commit. Empty before it. */
  readonly incarnation: string;
  readonly trustDomain: string;
  /** Stream sequence of the last commit folded; 0 before the first. */
  readonly revision: number;
  /** Resources by kind, then by `namespace/name`. */
  readonly resources: { readonly [K in Kind]?: ReadonlyMap<string, Resource<K>> };
  /** Commands that were carried out, by id, for as long as a retry may come. */
  readonly commands: ReadonlyMap<string, CommandOutcome>;
}

export interface CommandOutcome {
  readonly revision: number;
  /** SHA-256 of the request, lower-case hex: the same id with another request is refused. */
  readonly digest: string;
  /** When the writer decided, ms since the epoch. */
  readonly atMs: number;
}

export function emptyMesh(name: string): Mesh {
  return {
    name,
    incarnation: "",
    trustDomain: "cluster.local",
    revision: 0,
    resources: {},
    commands: new Map(),
  };
}

/** The resources of one kind, oldest first, so that conflicts have one winner. */
export function resourcesOf<K extends Kind>(mesh: Mesh, kind: K): readonly Resource<K>[] {
  const found = mesh.resources[kind] as ReadonlyMap<string, Resource<K>> | undefined;
  return [...(found?.values() ?? [])].sort(byAge);
}

export function findResource<K extends Kind>(
  mesh: Mesh,
  kind: K,
  namespace: string,
  name: string,
): Resource<K> | undefined {
  const found = mesh.resources[kind] as ReadonlyMap<string, Resource<K>> | undefined;
  return found?.get(`${namespace}/${name}`);
}

/** Oldest first; of one commit, by namespace and name in code unit order. */
function byAge(a: Resource, b: Resource): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  const [left, right] = [`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`];
  return left < right ? -1 : left > right ? 1 : 0;
}
