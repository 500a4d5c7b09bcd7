// Prints how long a change takes from the answer of its apply until every real Envoy of the bookinfo
// mesh has acknowledged it.
//
//   node test/bench/propagation.ts [changes]

import { applyFiles, startShop, startWorld } from "../world/world.ts";

const changes = Number(process.argv[2] ?? 50);
process.env["LOG_LEVEL"] ??= "error";

await using world = await startWorld();
await using shop = await startShop(world);
await applyFiles(world.control, "gateway.yaml", "versions.yaml");
const { api } = world.control;

/** Answers when every proxy has acknowledged the revision, as the replica itself reports it. */
async function acknowledged(revision: bigint): Promise<void> {
  for (;;) {
    const { proxies } = await api.listProxies({});
    const there = proxies.filter(({ ackedRevision }) => ackedRevision >= revision);
    if (there.length === shop.workloads.length) return;
  }
}

const [applies, waits]: [number[], number[]] = [[], []];
for (let change = 0; change < changes; change++) {
  const text = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
    - timeout: ${change + 1}s
      route: [{ destination: { host: reviews, subset: v1 } }]
`;
  const began = performance.now();
  const { revision } = await api.apply({
    documents: [{ path: "bench.yaml", text }],
    mutation: { commandId: crypto.randomUUID(), actor: "bench" },
  });
  const applied = performance.now();
  await acknowledged(revision);
  applies.push(applied - began);
  waits.push(performance.now() - applied);
}

for (const [what, times] of [
  ["apply answered", applies],
  ["acknowledged by all Envoys after that", waits],
] as const) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
  console.log(`${what.padEnd(40)} p50 ${at(0.5)} ms  p99 ${at(0.99)} ms`);
}
console.log(`${shop.workloads.length} Envoys, ${changes} changes of one route`);
