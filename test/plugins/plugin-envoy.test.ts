import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { resolve } from "node:path";
import { buildPlugin } from "@weft/sdk/build";
import { expect, test } from "vitest";
import { startPluginEnvoy } from "../world/plugin-envoy.ts";

const { wasm } = await buildPlugin(resolve("extensions/header-stamp"));
const { wasm: story } = await buildPlugin(resolve("extensions/sdk/probe/story"));

const stamping = (value: string) => ({ request: { "x-stamp": value } });

test("a request passes the plugin and reaches the echo", async () => {
  await using envoy = await startPluginEnvoy({ wasm, configuration: stamping("a") });
  const answer = await envoy.fetch("/hello?x=1", {
    method: "PUT",
    headers: [
      ["X-Twice", "1"],
      ["x-twice", "2"],
      ["x-stamp", "forged"],
    ],
    body: (async function* () {
      yield "one, ";
      yield "two";
    })(),
    trailers: [["x-end", "yes"]],
  });
  expect(answer.status).toBe(200);
  const { method, path, headers, body, trailers } = answer.json();
  expect([method, path, body, trailers]).toEqual([
    "PUT",
    "/hello?x=1",
    "one, two",
    [["x-end", "yes"]],
  ]);
  const valuesOf = (name: string) =>
    headers.flatMap(([each, value]: [string, string]) => (each === name ? [value] : []));
  expect(valuesOf("x-stamp")).toEqual(["a"]);
  expect(valuesOf("x-twice")).toEqual(["1", "2"]);
  expect(await envoy.stats("http.plugin.downstream_rq_2xx")).toBe(1);
  expect(await envoy.stats("http.plugin.nonsense")).toBeUndefined();
});

test("a handler answers in place of the echo, and gets what the plugin stamped", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration: { response: { "x-demo": "hello" } },
    upstream: (request, response) => {
      response.writeHead(201, { "x-path": request.url });
      response.end("made");
    },
  });
  const answer = await envoy.fetch("/things");
  expect([answer.status, answer.header("x-demo"), answer.header("x-path"), answer.body]).toEqual([
    201,
    "hello",
    "/things",
    "made",
  ]);
});

test("a swap is live once it is answered, and a refused one tells why and changes nothing", async () => {
  await using envoy = await startPluginEnvoy({ wasm, configuration: stamping("0"), workers: 2 });
  const stamp = async () => {
    const { headers } = (await envoy.fetch("/")).json();
    return headers.find(([name]: [string]) => name === "x-stamp")?.[1];
  };
  for (let i = 1; i <= 20; i++) {
    await envoy.swap(wasm, stamping(String(i)));
    expect(await stamp()).toBe(String(i));
  }
  await expect(envoy.swap(wasm, { request: { "x-stamp": 7 } })).rejects.toThrow(
    /^header-stamp: request.x-stamp: expected a string, found a number, at byte 22$/,
  );
  await expect(envoy.swap(Buffer.from("no module"), "")).rejects.toThrow(
    /^Failed to parse corrupted Wasm module$/,
  );
  expect(await stamp()).toBe("20");
  await envoy.swap(wasm, stamping("again"));
  expect(await stamp()).toBe("again");
});

test("a plugin that Envoy refuses at the start says why", async () => {
  await expect(startPluginEnvoy({ wasm, configuration: { request: 7 } })).rejects.toThrow(
    "header-stamp: request: expected an object, found a number, at byte 11",
  );
});

test("HTTP/2 is spoken without upgrade", async () => {
  await using envoy = await startPluginEnvoy({ wasm, configuration: stamping("h2") });
  const session = connectHttp2(envoy.url);
  const stream = session.request({ ":path": "/two" });
  const body = Buffer.concat(await stream.toArray()).toString();
  session.destroy();
  expect(JSON.parse(body)).toMatchObject({ path: "/two" });
});

test("a TCP plugin sees connections, and a swap reaches the next one", async () => {
  await using envoy = await startPluginEnvoy({ wasm: story, rootId: "connections", tcp: true });
  const say = async (text: string) => {
    const socket = await envoy.connect();
    socket.write(text);
    const [first] = await once(socket, "data");
    socket.destroy();
    return first.toString();
  };
  expect(await say("hello")).toBe("<>hello");
  expect((await envoy.logged("sent")).message).toBe("sent 5, received 6");
  await expect(envoy.swap(story, "", { rootId: "nobody" })).rejects.toThrow(
    "nobody is no root id of this module; it has callouts, connections, jobs, mark",
  );
  expect(await say("still")).toBe("<>still");
  await envoy.swap(story, "", { rootId: "mark" });
  expect(await say("plain")).toBe("plain");
});
