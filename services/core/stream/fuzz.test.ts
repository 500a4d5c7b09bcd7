import fc from "fast-check";
import { expect, test } from "vitest";
import { createScript, type World } from "./script.ts";

const NAMES = ["a", "b", "c"] as const;
const TYPES = ["CDS", "EDS", "LDS", "RDS"] as const;

/** Clusters with their endpoints, and for each a route that points at one of them. */
const world: fc.Arbitrary<World> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom("1", "2")), {
    selector: ([name]) => name,
    minLength: 1,
  })
  .chain((clusters) =>
    fc.record({
      clusters: fc.constant(clusters),
      target: fc.constantFrom(...clusters.map(([name]) => name)),
      health: fc.constantFrom("1", "2"),
      listener: fc.constantFrom("1", "2"),
    }),
  )
  .map(({ clusters, target, health, listener }) => ({
    CDS: Object.fromEntries(clusters),
    EDS: Object.fromEntries(clusters.map(([name]) => [name, health])),
    LDS: { l: listener },
    RDS: { r: target },
  }));

const step = fc.oneof(
  fc.record({ set: world }),
  fc.record({ answer: fc.constantFrom(...TYPES), nack: fc.boolean() }),
);

/** What an Envoy holds: it asks for the endpoints of its clusters and acts on all it is sent. */
function follow(client: ReturnType<typeof createScript>) {
  const held = new Map(TYPES.map((type) => [type as string, new Map<string, string>()]));
  const unanswered: string[] = [];
  const broken: string[] = [];
  const take = (responses: readonly string[]): void => {
    for (const response of responses) {
      const [type = "", ...words] = response.split(" ");
      const names = words.map((word) => word.replace(/^-|@.*/g, ""));
      if (new Set(names).size < names.length) broken.push(`a name twice: ${response}`);
      const before = new Set(held.get(type)?.keys());
      for (const word of words) {
        const [name = "", version] = word.split("@");
        if (version === undefined) held.get(type)?.delete(name.slice(1));
        else held.get(type)?.set(name, version);
      }
      const target = held.get("RDS")?.get("r");
      if (target !== undefined && held.get("CDS")?.has(target) === false) {
        broken.push(`no cluster ${target} after: ${response}`);
      }
      unanswered.push(type);
      if (type === "CDS") ask(before);
    }
  };
  const ask = (before: ReadonlySet<string>): void => {
    const now = [...(held.get("CDS")?.keys() ?? [])];
    const sub = now.filter((name) => !before.has(name));
    const unsub = [...before].filter((name) => !now.includes(name));
    for (const name of unsub) held.get("EDS")?.delete(name);
    if (sub.length + unsub.length > 0) take(client.say("EDS", { sub, unsub }));
  };
  const answer = (type: string, nack: boolean): void => {
    const index = unanswered.indexOf(type);
    if (index < 0) return;
    unanswered.splice(index, 1);
    take(nack ? client.nack(type, "no") : client.ack(type));
  };
  return { held, unanswered, broken, take, answer };
}

test("A9, E1: whatever comes, no name comes twice, no route is without its cluster, and all arrives", () => {
  fc.assert(
    fc.property(world, fc.array(step, { maxLength: 40 }), world, (first, steps, last) => {
      const client = createScript("delta");
      const { held, unanswered, broken, take, answer } = follow(client);
      client.set(first);
      take(client.say("CDS"));
      take(client.say("LDS"));
      take(client.say("RDS", { sub: ["r"] }));
      for (const each of steps) {
        if ("set" in each) take(client.set(each.set));
        // What is refused of listeners and routes holds removals for a time, so nothing is here.
        else answer(each.answer, each.nack && !["LDS", "RDS"].includes(each.answer));
      }
      take(client.set(last));
      for (let round = 0; round < 200 && unanswered.length > 0; round++) {
        answer(unanswered[0] ?? "", false);
      }
      expect(broken).toEqual([]);
      expect(client.flags).toEqual([]);
      const versions = Object.fromEntries([...held].map(([type, map]) => [type, sorted(map)]));
      const refused = client.status().types.flatMap(({ nackedResources }) => nackedResources);
      if (refused.length === 0) expect(client.status().state).toBe("SYNCED");
      expect(versions).toEqual(
        Object.fromEntries(
          Object.entries(last).map(([type, map]) => [type, sorted(Object.entries(map))]),
        ),
      );
    }),
    { numRuns: 500 },
  );
});

function sorted(entries: Iterable<readonly [string, string]>): Record<string, string> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}
