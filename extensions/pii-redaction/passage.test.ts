import { type Header, load, type StartedPlugin } from "@weft/sdk/vitest";
import { expect, test } from "vitest";
import { bodyThrough } from "./body-through.ts";

const plugin = await load(import.meta.dirname);

const TEXT = { style: "text", text: "#" };
const JSON_TYPE = "application/json";

const jsonHeaders = [
  [":status", "200"],
  ["content-type", JSON_TYPE],
] as const;

/** A stream whose request has gone by, before its response. */
function asked(started: StartedPlugin, headers: readonly (readonly [string, string])[] = []) {
  const stream = started.open();
  stream.requestHeaders([[":path", "/"], ...headers]);
  return stream;
}

test("a stream goes on while it runs: only what may become a finding is held back", () => {
  const stream = asked(plugin.start({ email: {} }));
  stream.responseHeaders([[":status", "200"]], false);
  stream.responseBody("to: bob@exam");
  expect(Buffer.from(stream.response.body).toString()).toBe("to: ");
  stream.responseBody("ple.com, ann");
  expect(Buffer.from(stream.response.body).toString()).toBe("to: ***************, ");
  stream.responseBody("", true);
  expect(Buffer.from(stream.response.body).toString()).toBe("to: ***************, ann");
});

test("requests are redacted if they are to be", () => {
  const stream = plugin.start({ sides: "request", email: TEXT }).open();
  stream.requestHeaders(
    [
      [":path", "/"],
      ["content-length", "9"],
      ["accept-encoding", "br"],
    ],
    false,
  );
  stream.requestBody("a@b.io ok", true);
  expect(stream.request).not.toHaveHeader("content-length");
  expect(stream.request).toHaveHeader("accept-encoding", "br");
  expect(Buffer.from(stream.request.body).toString()).toBe("# ok");
  stream.responseHeaders([[":status", "200"]], false);
  stream.responseBody("a@b.io", true);
  expect(Buffer.from(stream.response.body).toString()).toBe("a@b.io");
});

test("the content-length stays if no replacement changes it, and goes otherwise", () => {
  const headers = [
    ...jsonHeaders,
    ["content-length", "6"],
    ["content-digest", "sha-256=:x:"],
  ] as const;
  const masked = asked(plugin.start({ email: {} }));
  masked.responseHeaders(headers, false);
  masked.responseBody("a@b.io");
  expect(masked.response).toHaveHeader("content-length", "6");
  expect(masked.response).not.toHaveHeader("content-digest");
  // It has come in full, so that nothing more can change it.
  expect(Buffer.from(masked.response.body).toString()).toBe("******");
  const shorter = asked(plugin.start({ email: TEXT }));
  shorter.responseHeaders(headers, false);
  expect(shorter.response).not.toHaveHeader("content-length");
});

test("nobody gets around it by asking for a part or for a compressed response", () => {
  const stream = plugin.start({ email: {} }).open();
  const headers = stream.requestHeaders([
    [":path", "/"],
    ["range", "bytes=0-3"],
    ["if-range", "x"],
    ["accept-encoding", "gzip"],
  ]);
  expect(headers).toEqual([[":path", "/"]]);
});

test("other content types pass; one of several that is known is enough", () => {
  const started = plugin.start({ email: TEXT, contentTypes: ["text/html", "application/*+json"] });
  expect(bodyThrough(started, { type: "text/plain", pieces: ["a@b.io"] })).toBe("a@b.io");
  expect(bodyThrough(started, { type: "text/HTML;x=y", pieces: ["a@b.io"] })).toBe("#");
  expect(bodyThrough(started, { type: "application/hal+json", pieces: ["a@b.io"] })).toBe("#");
  const twice = [["content-type", "text/html"]] as const;
  expect(bodyThrough(started, { type: "image/png", headers: twice, pieces: ["a@b.io"] })).toBe("#");
  const stream = asked(started);
  stream.responseHeaders([[":status", "200"]], false);
  stream.responseBody("a@b.io", true);
  expect(Buffer.from(stream.response.body).toString()).toBe("#");
  expect([...started.host.counters]).toContainEqual([
    "pii_bodies_skipped_total.reason=.=content-type;.;",
    1n,
  ]);
});

test("gRPC is never looked at, nor is what a connection has become", () => {
  const started = plugin.start({
    sides: "both",
    email: TEXT,
    contentTypes: ["application/*+json", "*"],
  });
  expect(bodyThrough(started, { type: "application/grpc+json", pieces: ["a@b.io"] })).toBe(
    "a@b.io",
  );
  const tunnel = (request: Header[], status: string) => {
    const stream = started.open();
    stream.requestHeaders([[":path", "/"], ...request], false);
    stream.requestBody("a@b.io");
    stream.responseHeaders([[":status", status]], false);
    stream.responseBody("a@b.io ");
    return [stream.request.body, stream.response.body].map((body) => Buffer.from(body).toString());
  };
  const upgrade: Header[] = [["upgrade", "websocket"]];
  expect(tunnel(upgrade, "101")).toEqual(["a@b.io", "a@b.io "]);
  expect(tunnel(upgrade, "200")).toEqual(["a@b.io", "# "]);
  expect(tunnel([[":method", "CONNECT"]], "200")).toEqual(["a@b.io", "a@b.io "]);
  expect(tunnel([[":method", "CONNECT"]], "503")).toEqual(["a@b.io", "# "]);
});

test("a compressed body passes or is refused", () => {
  const gzip = ["content-encoding", "gzip"] as const;
  const passing = plugin.start({ sides: "both", email: TEXT });
  expect(bodyThrough(passing, { headers: [gzip], pieces: ["a@b.io"] })).toBe("a@b.io");
  const refusing = plugin.start({ sides: "both", email: TEXT, compressed: "refuse" });
  const request = refusing.open();
  request.requestHeaders([[":path", "/"], ["content-encoding", "identity"], gzip], false);
  expect(request).toRespond(415);
  const response = asked(refusing);
  response.responseHeaders([...jsonHeaders, gzip], false);
  expect(response).toRespond(502);
});

test("a body that is too long passes on unseen or is refused", () => {
  const passing = plugin.start({ email: TEXT, maxBytes: 10 });
  expect(bodyThrough(passing, { pieces: ["a@b.io ", "a@b", ".io a@b.io"] })).toBe(
    "# a@b.io a@b.io",
  );
  for (const pieces of [["a@b.io x@y.io a@b.io"], [..."a@b.io x@y.io a@b.io"]]) {
    expect(bodyThrough(passing, { pieces })).toBe("# x@y.io a@b.io");
  }
  const refusing = plugin.start({ sides: "both", email: TEXT, maxBytes: 10, tooLong: "refuse" });
  const told = refusing.open();
  told.requestHeaders(
    [
      [":path", "/"],
      ["content-length", "11"],
    ],
    false,
  );
  expect(told).toRespond(413);
  const untold = asked(refusing);
  untold.responseHeaders(jsonHeaders, false);
  untold.responseBody("0123456789");
  expect(untold.isReset).toBe(false);
  untold.responseBody("0");
  expect(untold.isReset).toBe(true);
  expect(refusing.host.counters.get("pii_resets_total")).toBe(1n);
});

test("where trailers are announced the body waits for them, and nothing is lost", () => {
  const stream = asked(plugin.start({ email: TEXT }), [["te", "trailers"]]);
  stream.responseHeaders([[":status", "200"]], false);
  stream.responseBody("to: a@b");
  expect(stream.response).toPause();
  stream.responseBody(".io");
  stream.responseTrailers([["x-sum", "1"]]);
  expect(Buffer.from(stream.response.body).toString()).toBe("to: #");
  expect(stream.response.trailers).toEqual([["x-sum", "1"]]);
});

test("trailers that nobody announced end a body that is complete, and reset one that is not", () => {
  const started = plugin.start({ email: TEXT });
  const complete = asked(started);
  complete.responseHeaders([[":status", "200"]], false);
  complete.responseBody("to: a@b.io\n");
  complete.responseTrailers([["x-sum", "1"]]);
  expect(Buffer.from(complete.response.body).toString()).toBe("to: #\n");
  expect(complete.isReset).toBe(false);
  const open = asked(started);
  open.responseHeaders([[":status", "200"]], false);
  open.responseBody("to: a@b.io");
  open.responseTrailers([["x-sum", "1"]]);
  expect(open.isReset).toBe(true);
});

test("a dry run counts and changes nothing", () => {
  const started = plugin.start({ email: TEXT, card: {}, fields: { names: ["pin"] }, dryRun: true });
  const stream = started.open();
  const request = [
    [":path", "/"],
    ["accept-encoding", "br"],
  ] as const;
  expect(stream.requestHeaders(request)).toEqual(request);
  stream.responseHeaders([...jsonHeaders, ["content-length", "40"]], false);
  expect(stream.response).toHaveHeader("content-length", "40");
  const pieces = [`{"pin":"12`, `3","to":"a@b`, `.io 4111111111111111"`, "}"];
  for (const piece of pieces) stream.responseBody(piece);
  stream.responseTrailers([]);
  expect(Buffer.from(stream.response.body).toString()).toBe(pieces.join(""));
  const found = [...started.host.counters].filter(([, count]) => count > 0n);
  expect(found).toEqual([
    ["pii_bodies_total", 1n],
    ["pii_findings_total.kind=.=email;.;", 1n],
    ["pii_findings_total.kind=.=card;.;", 1n],
    ["pii_findings_total.kind=.=field;.;", 1n],
  ]);
});

test("what the host does not let be replaced does not go on", () => {
  const prepare = (host: { inject(fault: { call: string; status: number }): void }) =>
    host.inject({ call: "proxy_set_buffer_bytes", status: 2 });
  const stream = asked(plugin.start({ email: TEXT }, { prepare }));
  stream.responseHeaders([[":status", "200"]], false);
  stream.responseBody("a@b.io", true);
  expect(stream.isReset).toBe(true);
});
