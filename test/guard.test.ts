// Who may hold a connection to a server of ours, and for how long without a word.

import { once } from "node:events";
import { connect as connectHttp2, createServer } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { type GuardLimits, guardConnections } from "@weft/core/runtime";
import { afterEach, expect, test } from "vitest";

const held: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of held.splice(0)) await end();
});

async function startServer(limits: GuardLimits): Promise<number> {
  const server = createServer();
  guardConnections(server, limits);
  server.on("stream", (stream) => stream.respond({ ":status": 200 }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  held.push(async () => void (await new Promise((done) => server.close(done))));
  return (server.address() as AddressInfo).port;
}

test("one address may hold so many connections, and more once some are gone", async () => {
  const port = await startServer({ peerConnectionsMax: 2 });
  const first = connectHttp2(`http://127.0.0.1:${port}`);
  const second = connectHttp2(`http://127.0.0.1:${port}`);
  await Promise.all([once(first, "remoteSettings"), once(second, "remoteSettings")]);
  const third = connect(port, "127.0.0.1");
  third.on("error", () => {}); // a reset is as good as an end
  await new Promise((done) => third.resume().once("close", done));
  first.close();
  await once(first, "close");
  const fourth = connectHttp2(`http://127.0.0.1:${port}`);
  await once(fourth, "remoteSettings");
  for (const session of [second, fourth]) session.destroy();
});

test("a connection without a call is ended, one with a call is not", async () => {
  const port = await startServer({ idleMsMax: 100 });
  const silent = connect(port, "127.0.0.1");
  const idle = connectHttp2(`http://127.0.0.1:${port}`);
  const busy = connectHttp2(`http://127.0.0.1:${port}`);
  const call = busy.request({ ":path": "/" }, { endStream: false });
  await once(call, "response");
  silent.on("error", () => {}); // a reset is as good as an end
  const silentClosed = new Promise((done) => silent.resume().once("close", done));
  await Promise.all([silentClosed, once(idle, "close")]);
  expect(busy.destroyed).toBe(false);
  call.close();
  await once(busy, "close");
});
