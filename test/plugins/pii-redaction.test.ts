import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { buildPlugin } from "../../extensions/sdk/build.ts";
import { type PluginEnvoyOptions, startPluginEnvoy } from "../world/plugin-envoy.ts";

const folder = join(import.meta.dirname, "../../extensions/pii-redaction");
const { wasm } = await buildPlugin(folder);

const configuration = {
  sides: "both",
  email: { style: "text", text: "[email]" },
  card: { keepLast: 4 },
  fields: { names: ["password"] },
};

const start = (options: Partial<PluginEnvoyOptions>) =>
  startPluginEnvoy({ wasm, configuration, ...options });

test("a request reaches the upstream without personal data, wherever it is cut", async () => {
  await using envoy = await start({});
  const pieces = [`{"to": "bob@exam`, `ple.com", "pass`, `word": "s3cr`, `et", "n": "4111 1111 `];
  const answer = await envoy.fetch("/", {
    headers: { "content-type": "application/json" },
    body: (async function* () {
      yield* pieces;
      yield `1111 1111"}`;
    })(),
  });
  expect(answer.json().body).toBe(
    `{"to": "[email]", "password": "******", "n": "***************1111"}`,
  );
  const whole = await envoy.fetch("/", { body: "from ann@example.com" });
  expect(whole.json().body).toBe("from [email]");
  expect(await envoy.stats("wasmcustom.pii_findings_total.kind=.=email;.;")).toBe(2);
});

test("a response streams on while its end is not there", async () => {
  const { promise: seen, resolve } = Promise.withResolvers<void>();
  await using envoy = await start({
    upstream: (_request, response) => {
      response.setHeader("content-type", "text/event-stream");
      response.write("data: bob@example.com\n\ndata: ann@exam");
      void seen.then(() => response.end("ple.com\n\n"));
    },
  });
  const response = await fetch(envoy.url);
  const reader = response.body?.getReader();
  const first = await reader?.read();
  expect(Buffer.from(first?.value ?? []).toString()).toBe("data: [email]\n\ndata:");
  resolve();
  let rest = "";
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    rest += Buffer.from(part.value).toString();
  }
  expect(rest).toBe(" [email]\n\n");
});

test("a response of another length still ends where its headers say", async () => {
  await using envoy = await start({
    upstream: (_request, response) => {
      const body = "to: ann@example.com";
      response.writeHead(200, { "content-type": "text/plain", "content-length": body.length });
      response.end(body);
    },
  });
  const answer = await envoy.fetch("/");
  expect(answer.header("content-length")).toBeUndefined();
  expect(answer.body).toBe("to: [email]");
});

test("a compressed response is not asked for, and passes if it comes", async () => {
  const asked: unknown[] = [];
  await using envoy = await start({
    upstream: (request, response) => {
      asked.push(request.headers["accept-encoding"], request.headers.range);
      response.writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" });
      response.end(gzipSync("to: ann@example.com"));
    },
  });
  const headers = { "accept-encoding": "gzip", range: "bytes=0-9" };
  const answer = await envoy.fetch("/", { headers });
  expect(asked).toEqual([undefined, undefined]);
  expect(answer.bytes).toEqual(gzipSync("to: ann@example.com"));
});

test("trailers lose nothing: announced they wait, unannounced they must find the body whole", async () => {
  await using envoy = await start({
    upstream: {
      http2: (stream, headers) => {
        stream.respond({ ":status": 200, "content-type": "text/plain" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "1" }));
        stream.write("to: ann@exam");
        stream.end(headers[":path"] === "/whole" ? "ple.com\n" : "ple.com");
      },
    },
  });
  const te = { te: "trailers" };
  expect((await envoy.fetch("/open", { headers: te })).body).toBe("to: [email]");
  expect((await envoy.fetch("/whole")).body).toBe("to: [email]\n");
  await expect(envoy.fetch("/open")).rejects.toThrow();
  expect(await envoy.stats("wasmcustom.pii_resets_total")).toBe(1);
});

test("what must not pass is refused", async () => {
  await using envoy = await start({
    configuration: { ...configuration, compressed: "refuse", maxBytes: 16, tooLong: "refuse" },
  });
  const gzip = { "content-encoding": "gzip" };
  const compressed = await envoy.fetch("/", { headers: gzip, body: gzipSync("x") });
  expect([compressed.status, compressed.body]).toEqual([
    415,
    "a compressed body is not taken here\n",
  ]);
  const long = await envoy.fetch("/", { body: "0123456789abcdefg" });
  expect(long.status).toBe(413);
});
