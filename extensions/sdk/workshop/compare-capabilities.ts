import type { Capabilities } from "../wasm/index.ts";

/** One thing that a module can do in a callback and another cannot, or can only perhaps. */
export interface CapabilityChange {
  readonly callback: string;
  /** A hostcall; null for the callback itself. */
  readonly hostcall: string | null;
  readonly change: "gains" | "may gain" | "loses";
}

/** What a module can do that one before could not, and the other way round, by callback. */
export function compareCapabilities(
  before: readonly Capabilities[],
  after: readonly Capabilities[],
): CapabilityChange[] {
  const old = new Map(before.map((each) => [each.callback, each]));
  const now = new Map(after.map((each) => [each.callback, each]));
  const callbacks = [...new Set([...old.keys(), ...now.keys()])];
  return callbacks.flatMap((callback) => changes(callback, old.get(callback), now.get(callback)));
}

function changes(
  callback: string,
  before: Capabilities | undefined,
  after: Capabilities | undefined,
): CapabilityChange[] {
  const could = reachOf(before);
  const can = reachOf(after);
  const of = (change: CapabilityChange["change"], hostcall: string | null) => {
    return { callback, hostcall, change };
  };
  const own =
    before === undefined ? [of("gains", null)] : after === undefined ? [of("loses", null)] : [];
  const gained = [...can].flatMap(([hostcall, isSure]) => {
    const was = could.get(hostcall);
    if (was === true || was === isSure) return [];
    return [of(isSure ? "gains" : "may gain", hostcall)];
  });
  const lost = [...could.keys()].filter((hostcall) => !can.has(hostcall));
  return [...own, ...gained, ...lost.map((hostcall) => of("loses", hostcall))];
}

/** The hostcalls of a callback, and whether it is sure that it makes them. */
function reachOf(capabilities: Capabilities | undefined): ReadonlyMap<string, boolean> {
  const { uses = [], mayUse = [] } = capabilities ?? {};
  return new Map([
    ...mayUse.map((name) => [name, false] as const),
    ...uses.map((name) => [name, true] as const),
  ]);
}
