import { expect, test } from "vitest";
import { createJsonStream } from "./json-stream.ts";
import { createRecorder, type RecorderOptions } from "./recorder.ts";
import { redact } from "./redact.ts";
import type { TapSegment } from "./tap-segment.ts";

const headers = (pairs: readonly (readonly [string, string])[]) => ({
  headers: pairs.map(([key, value]) => ({ key, value })),
});
const bytes = (text: string | Uint8Array) => ({ as_bytes: Buffer.from(text).toString("base64") });

const asked = (id: string, requestId: string, path = "/"): TapSegment => ({
  trace_id: id,
  request_headers: headers([
    [":method", "GET"],
    [":path", path],
    ["x-request-id", requestId],
  ]),
});
const answered = (id: string, ...more: [string, string][]): TapSegment => ({
  trace_id: id,
  response_headers: headers([[":status", "200"], ...more]),
});

function recording(options: Partial<RecorderOptions> = {}) {
  return createRecorder({
    bodyBytesMax: 10,
    pathPrefix: "",
    keepsSecrets: false,
    hasBehind: true,
    ...options,
  });
}

test("a request is what came to the plugin, its answer what the upstream said", () => {
  const recorder = recording();
  recorder.take(asked("1", "r"), 0);
  recorder.take({ trace_id: "1", request_body_chunk: bytes("one") }, 0);
  recorder.take({ trace_id: "1", request_body_chunk: bytes(Uint8Array.of(0xff)) }, 0);
  recorder.take({ trace_id: "1", request_trailers: headers([["t", "1"]]) }, 0);
  recorder.take(asked("2", "r", "/changed"), 0);
  recorder.take(answered("2", ["content-length", "2"]), 0);
  recorder.take({ trace_id: "2", response_body_chunk: bytes("ok") }, 0);
  expect(recorder.finish(0)).toEqual([]);
  recorder.take(answered("1", ["content-length", "0"], ["x-added", "1"]), 0);
  expect(recorder.finish(0)).toEqual([
    {
      request: {
        headers: [
          [":method", "GET"],
          [":path", "/"],
          ["x-request-id", "r"],
        ],
        body: ["one", { base64: "/w==" }],
        trailers: [["t", "1"]],
      },
      response: {
        headers: [
          [":status", "200"],
          ["content-length", "2"],
        ],
        body: ["ok"],
      },
    },
  ]);
  expect(recorder.finish(Number.POSITIVE_INFINITY)).toEqual([]);
});

test("what the plugin has answered itself has no response", () => {
  const recorder = recording();
  recorder.take(asked("1", "r"), 0);
  recorder.take(answered("1", ["content-length", "0"]), 0);
  expect(recorder.finish(0).map((exchange) => Object.keys(exchange))).toEqual([["request"]]);
});

test("with one tap the response is the one that it sees", () => {
  const recorder = recording({ hasBehind: false });
  recorder.take(asked("1", "r"), 0);
  recorder.take(answered("1", ["content-length", "0"]), 0);
  expect(recorder.finish(0)[0]?.response?.headers).toHaveLength(2);
});

test("a body without a length has ended after a silence", () => {
  const recorder = recording({ hasBehind: false });
  recorder.take(asked("1", "r"), 0);
  recorder.take(answered("1"), 0);
  recorder.take({ trace_id: "1", response_body_chunk: bytes("a") }, 500);
  expect(recorder.finish(1_499)).toEqual([]);
  expect(recorder.finish(1_500)).toHaveLength(1);
});

test("what has a longer body is left out and counted, what has another path only left out", () => {
  const recorder = recording({ hasBehind: false, pathPrefix: "/api/" });
  for (const [id, path] of [
    ["1", "/api/a"],
    ["2", "/other"],
    ["3", "/api/b"],
  ] as const) {
    recorder.take(asked(id, id, path), 0);
    recorder.take(answered(id, ["content-length", "0"]), 0);
  }
  recorder.take({ trace_id: "3", request_body_chunk: bytes("12345678901") }, 0);
  expect(recorder.finish(0).map(({ request }) => request.headers[1])).toEqual([
    [":path", "/api/a"],
  ]);
  expect(recorder.tooLong).toBe(1);
});

test("a tap that sees a stream from its middle on tells nothing", () => {
  const recorder = recording();
  recorder.take(answered("1"), 0);
  expect(recorder.finish(Number.POSITIVE_INFINITY)).toEqual([]);
});

test.each([
  ["authorization", "Bearer eyJ.a.b", "Bearer redacted"],
  ["Authorization", "secret", "redacted"],
  ["proxy-authorization", "Basic YTpi", "Basic redacted"],
  ["cookie", "canary=always; session=a=b", "canary=redacted; session=redacted"],
  ["cookie", "odd", "redacted"],
  ["set-cookie", "s=1; Path=/; HttpOnly", "s=redacted; Path=/; HttpOnly"],
  ["x-other", "Bearer a", "Bearer a"],
])("%s: %s is written as %s", (name, value, written) => {
  expect(redact([[name, value]])).toEqual([[name, written]]);
});

test("secrets are in no exchange, unless they are asked for", () => {
  const secret: [string, string] = ["set-cookie", "s=hidden"];
  const tell = (keepsSecrets: boolean) => {
    const recorder = recording({ hasBehind: false, keepsSecrets });
    recorder.take(asked("1", "r"), 0);
    recorder.take({ trace_id: "1", request_trailers: headers([secret]) }, 0);
    recorder.take(answered("1", ["content-length", "0"], secret), 0);
    return JSON.stringify(recorder.finish(0));
  };
  expect(tell(false)).not.toContain("hidden");
  expect(tell(true).match(/hidden/g)).toHaveLength(2);
});

test("objects are cut out of a stream wherever its pieces end", () => {
  const objects = [{ a: '}{"\\' }, { b: { c: ["{", 1] } }, {}];
  const text = objects.map((each) => JSON.stringify(each, null, 1)).join("\n\n");
  for (let size = 1; size <= text.length; size++) {
    const stream = createJsonStream(1_000);
    const found: unknown[] = [];
    for (let at = 0; at < text.length; at += size)
      found.push(...stream.take(text.slice(at, at + size)));
    expect(found).toEqual(objects);
  }
  expect(() => createJsonStream(10).take('{"a": "12345678')).toThrow("more than 10 characters");
});
