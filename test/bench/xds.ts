// Fan-out of small changes: µs of CPU for each push, from the change to the ACK that comes back.
// Runs the server here and its clients in a child, so that only the server's CPU is counted.
// node test/bench/xds.ts [streams] [changes]

import { fork } from "node:child_process";
import { ROUTE } from "@weft/core/stream";
import { RouteConfigurationSchema } from "@weft/proto/envoy/config/route/v3/route_pb.ts";
import { connectScripted, NODE } from "../xds/client.ts";
import { resource, snapshot, startTestServer } from "../xds/server.ts";

/** A route table of some 1.6 kB, as one service has. */
const HOSTS = 24;

const routes = (mark: number) =>
  snapshot([
    resource(RouteConfigurationSchema, "routes", {
      name: "routes",
      virtualHosts: Array.from({ length: HOSTS }, (_, host) => ({
        name: `service-${host}:80`,
        domains: [`service-${host}.default.svc.cluster.local`, `service-${host}-${mark}`],
      })),
    }),
  ]);

if (process.send === undefined)
  await serve(Number(process.argv[2] ?? 200), Number(process.argv[3] ?? 100));
else await follow(Number(process.argv[2]), Number(process.argv[3]));

async function serve(streams: number, changes: number): Promise<void> {
  let [acked, awaited] = [0, 0];
  let arrive = (): void => {};
  const onAnswer = (): void => {
    acked += 1;
    if (acked === awaited) arrive();
  };
  const all = (count: number): Promise<void> =>
    new Promise((done) => {
      awaited = count;
      arrive = done;
    });
  const idleMb = process.memoryUsage.rss() / 2 ** 20;
  await using server = await startTestServer(routes(0), { onAnswer });
  const connected = all(streams);
  const client = fork(import.meta.filename, [String(streams), String(server.port)]);
  await connected;
  const rssMb = process.memoryUsage.rss() / 2 ** 20;
  const latenciesMs: number[] = [];
  const before = process.cpuUsage();
  for (let change = 1; change <= changes; change++) {
    const done = all(streams * (change + 1));
    const start = performance.now();
    server.set(routes(change));
    await done;
    latenciesMs.push(performance.now() - start);
  }
  const { user, system } = process.cpuUsage(before);
  client.kill();
  latenciesMs.sort((a, b) => a - b);
  const [first] = server.replies.at(-1)?.resources ?? [];
  const at = (share: number): string => (latenciesMs[Math.floor(changes * share)] ?? 0).toFixed(1);
  console.log(
    [
      `${streams} streams, ${changes} changes of ${first?.body.length} bytes`,
      `CPU per push, with its ACK: ${((user + system) / (streams * changes)).toFixed(1)} µs`,
      `change to the last ACK: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
      `RSS for each connection: ${(((rssMb - idleMb) * 1024) / streams).toFixed(0)} KiB`,
    ].join("\n"),
  );
}

/** Subscribes and acknowledges, until it is killed. */
async function follow(streams: number, port: number): Promise<void> {
  const following = Array.from({ length: streams }, async () => {
    const stream = connectScripted(port).delta();
    stream.send({ node: NODE, typeUrl: ROUTE.url, resourceNamesSubscribe: ["routes"] });
    for (;;) {
      const { nonce } = await stream.next();
      stream.send({ typeUrl: ROUTE.url, responseNonce: nonce });
    }
  });
  await Promise.all(following);
}
