import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { resolve } from "node:path";
import { buildPlugin } from "@weft/sdk/build";
import { expect, test } from "vitest";
import { type StreamHandler, startPluginEnvoy, until } from "../world/plugin-envoy.ts";

const { wasm } = await buildPlugin(resolve("extensions/sdk/probe/story"));

/** Bytes in front of a gRPC message: whether it is compressed, and how long it is. */
const PREFIX_BYTES = 5;

function message(text: string): Buffer {
  const body = Buffer.from(text);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(body.byteLength, 1);
  return Buffer.concat([prefix, body]);
}

/** The messages of a call, as they come. */
async function* messagesOf(stream: ServerHttp2Stream): AsyncGenerator<string> {
  let held = Buffer.alloc(0);
  for await (const chunk of stream) {
    held = Buffer.concat([held, chunk]);
    while (held.byteLength >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + held.readUInt32BE(1);
      if (held.byteLength < end) break;
      yield held.subarray(PREFIX_BYTES, end).toString();
      held = held.subarray(end);
    }
  }
}

/** Ends a call with a status. */
function endWith(stream: ServerHttp2Stream, status: number, message = ""): void {
  stream.once("wantTrailers", () => {
    stream.sendTrailers({ "grpc-status": String(status), "grpc-message": message });
  });
  stream.end();
}

const GRPC = { ":status": 200, "content-type": "application/grpc" };

function greeter(
  handle: (stream: ServerHttp2Stream, token: string) => Promise<void>,
): StreamHandler {
  return (stream, headers) => {
    void handle(stream, String(headers["token"])).catch(() => stream.destroy());
  };
}

/** Asks with the header `ask`, and answers what the client sees. */
async function asking(
  clusters: NonNullable<Parameters<typeof startPluginEnvoy>[0]["clusters"]>,
  ask: string,
): Promise<{ status: number; body: string; headers: Map<string, string> }> {
  await using envoy = await startPluginEnvoy({ wasm, rootId: "callouts", clusters });
  const { status, body, json } = await envoy.fetch("/", { headers: { ask } });
  const sent: [string, string][] = status === 200 && body.startsWith("{") ? json().headers : [];
  return { status, body, headers: new Map(sent) };
}

test("an HTTP callout that is answered changes the request and lets it go on", async () => {
  const asked: string[] = [];
  const authz = async (request: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await request.toArray()).toString();
    asked.push(`${request.method} ${request.url} ${request.headers.host} ${body}`);
    response.setHeader("x-user", "ann").end();
  };
  const { status, headers } = await asking({ authz }, "authz");
  expect(status).toBe(200);
  expect(headers.get("x-user")).toBe("ann");
  expect(asked).toEqual(["POST /check authz may I?"]);
});

test("an HTTP callout that is refused answers the client with the reason", async () => {
  const authz = (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(401).end("not you");
  };
  const { status, body } = await asking({ authz }, "authz");
  expect([status, body]).toEqual([403, "not you"]);
});

test("an HTTP callout without an answer ends with its time", async () => {
  const { status, body } = await asking({ authz: () => {} }, "authz");
  // Envoy makes an answer of its own to a call that is late.
  expect([status, body]).toEqual([403, "upstream request timeout"]);
});

test("an HTTP callout to nobody fails: at once without a cluster, else with Envoy's own answer", async () => {
  expect(await asking({}, "authz")).toMatchObject({ status: 500, body: "no call" });
  const { status, body } = await asking({ authz: "127.0.0.1:1" }, "authz");
  expect(status).toBe(403);
  expect(body).toMatch(/^upstream connect error/);
});

test("a gRPC call is answered once, with its metadata", async () => {
  const heard: string[] = [];
  const say = greeter(async (stream, token) => {
    for await (const text of messagesOf(stream)) heard.push(`${token}: ${text}`);
    stream.respond(GRPC, { waitForTrailers: true });
    stream.write(message("hi"));
    endWith(stream, 0);
  });
  const { status, headers } = await asking({ greeter: { http2: say } }, "unary");
  expect(status).toBe(200);
  expect(headers.get("x-said")).toBe("hi");
  expect(heard).toEqual(["t: hello"]);
});

test("a gRPC call that fails tells its status and message", async () => {
  const say = greeter(async (stream) => {
    stream.respond({ ...GRPC, "grpc-status": "7", "grpc-message": "not you" }, { endStream: true });
  });
  const { status, body } = await asking({ greeter: { http2: say } }, "unary");
  // Envoy puts behind a message where it comes from.
  expect([status, body]).toEqual([502, "closed with 7: not you{via_upstream}"]);
});

test("a gRPC call without an answer ends with its time", async () => {
  const say = greeter(async (stream) => {
    await once(stream, "close");
  });
  const { status, body } = await asking({ greeter: { http2: say } }, "unary");
  expect(status).toBe(502);
  expect(body).toBe("closed with 14: upstream request timeout{response_timeout}");
});

test("a gRPC stream goes to and fro, and ends with a status", async () => {
  const heard: string[] = [];
  const talk = greeter(async (stream) => {
    stream.respond({ ...GRPC, "x-greeting": "welcome" }, { waitForTrailers: true });
    for await (const text of messagesOf(stream)) {
      heard.push(text);
      stream.write(message(`${text}!`));
    }
    endWith(stream, 0);
  });
  const { status, body } = await asking({ greeter: { http2: talk } }, "stream");
  expect([status, body]).toEqual([200, "welcome, one!, two!, closed with 0"]);
  expect(heard).toEqual(["one", "two"]);
});

test("a client that goes takes the open gRPC stream of its request along", async () => {
  const ends: string[] = [];
  const talk = greeter(async (stream) => {
    stream.respond(GRPC);
    stream.on("close", () => ends.push("closed"));
    ends.push("open");
    await once(stream, "close");
  });
  await using envoy = await startPluginEnvoy({
    wasm,
    rootId: "callouts",
    clusters: { greeter: { http2: talk } },
  });
  const socket = await envoy.connect();
  socket.write("GET / HTTP/1.1\r\nhost: a\r\nask: stream\r\n\r\n");
  await until(() => ends.length === 1, "the stream of the plugin");
  socket.destroy();
  await until(() => ends.length === 2, "the end of the stream");
});

test("shared data of all workers loses no update", async () => {
  const REQUESTS = 2_000;
  const CLIENTS = 8;
  await using envoy = await startPluginEnvoy({ wasm, rootId: "jobs", workers: 4 });
  const totalOf = async (): Promise<number> => {
    const sent: [string, string][] = (await envoy.fetch("/")).json().headers;
    return Number(sent.find(([name]) => name === "x-total")?.[1]);
  };
  expect(await totalOf()).toBe(1);
  const totals: number[] = [];
  const clients = Array.from({ length: CLIENTS }, async () => {
    for (let i = 0; i < REQUESTS / CLIENTS; i++) totals.push(await totalOf());
  });
  await Promise.all(clients);
  expect(totals.sort((a, b) => a - b)).toEqual(Array.from({ length: REQUESTS }, (_, i) => i + 2));
});

test("a shared queue passes each entry on once", async () => {
  const JOBS = 50;
  await using envoy = await startPluginEnvoy({ wasm, rootId: "jobs", workers: 2 });
  const names = Array.from({ length: JOBS }, (_, i) => `job ${i}`);
  for (const name of names) {
    expect((await envoy.fetch("/", { headers: { "x-job": name } })).status).toBe(200);
  }
  const done = async () => (await envoy.stats("wasmcustom.story_jobs")) ?? 0;
  await until(async () => (await done()) >= JOBS, "all jobs done");
  await until(() => envoy.logs.length >= JOBS, "all jobs told");
  const told = envoy.logs.map(({ message: text }) => text.replace(/^job /, ""));
  expect(told.sort()).toEqual(names.sort());
});

test("a tick comes again and again", async () => {
  await using envoy = await startPluginEnvoy({ wasm, rootId: "jobs" });
  const ticks = async () => (await envoy.stats("wasmcustom.story_ticks")) ?? 0;
  const before = await ticks();
  await until(async () => (await ticks()) >= before + 5, "five more ticks");
});

test("a TCP plugin sees both directions and the end of a connection", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    rootId: "connections",
    tcp: true,
    upstream: (socket: Socket) => {
      socket.on("data", (data: Buffer) => socket.end(`got ${data}`));
    },
  });
  const client = await envoy.connect();
  client.write("hello");
  expect(Buffer.concat(await client.toArray()).toString()).toBe("<got >hello");
  expect((await envoy.logged("sent")).message).toBe("sent 5, received 10");
});
