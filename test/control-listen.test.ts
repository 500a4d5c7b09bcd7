// The socket of the API, before anything is understood of what comes in.

import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { listen } from "../services/control/listen.ts";

test("a request whose head drips in for ever is ended", async () => {
  await using api = await listen((_, response) => void response.end(), {
    host: "127.0.0.1",
    port: 0,
    headTimeoutMs: 200,
  });
  const socket = connect(portOf(api.address), "127.0.0.1");
  socket.on("error", () => {}); // a reset is as good as an end
  socket.write("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  const drip = setInterval(() => socket.write("a: b\r\n"), 20);
  await new Promise((done) => socket.resume().once("close", done));
  clearInterval(drip);
});

test("a request that was refused unread leaves its connection to the next one", async () => {
  const refuse: Parameters<typeof listen>[0] = (_, response) => {
    response.statusCode = 403;
    response.end();
  };
  await using api = await listen(refuse, { host: "127.0.0.1", port: 0 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async () => {
    const options = { agent, host: "127.0.0.1", port: portOf(api.address), method: "POST" };
    const asked = request(options);
    asked.end("{}");
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.resume();
    await once(response, "end");
    return [response.statusCode, asked.reusedSocket];
  };
  expect([await ask(), await ask(), await ask()]).toEqual([
    [403, false],
    [403, true],
    [403, true],
  ]);
  agent.destroy();
});

function portOf(address: string): number {
  return Number(address.split(":")[1]);
}
