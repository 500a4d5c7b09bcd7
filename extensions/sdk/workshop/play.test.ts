import { encodePairs } from "@weft/sdk/host";
import { expect, test } from "vitest";
import {
  assembleProbe,
  bytes,
  type Callback,
  call,
  hex,
  say,
  trap,
  word,
} from "../../../test/conformance/proxy-wasm/probe.ts";
import type { Exchange, HttpExchange } from "./exchange.ts";
import { play } from "./play.ts";
import { loadPlugin, Refusal, stage } from "./stage.ts";

const REQUEST: HttpExchange = { request: { headers: [[":path", "/"]] } };
const OK: HttpExchange = { ...REQUEST, response: { headers: [[":status", "200"]] } };

/** What comes of an exchange through a plugin with these callbacks. */
function played(on: Readonly<Record<string, Callback>>, exchange: Exchange) {
  const { host, root } = stage(loadPlugin(assembleProbe({ on })), exchange);
  return play(host, root, exchange);
}

const messages = ({ logs }: ReturnType<typeof play>) => logs.map(({ message }) => message);

test("all of a request passes, then all of a response", () => {
  const text = Buffer.from("ab");
  const exchange: Exchange = {
    request: { headers: [[":path", "/"]], body: ["a", "b"], trailers: [["x-end", "1"]] },
    response: { headers: [[":status", "200"]], body: ["a", { base64: "Yg==" }] },
  };
  const says = (name: string): [string, Callback] => [name, { steps: [say(name, 1, 2)] }];
  const callbacks = ["headers", "body"].flatMap((part) => [
    says(`proxy_on_request_${part}`),
    says(`proxy_on_response_${part}`),
  ]);
  const trailers: Callback = { steps: [say("trailers")] };
  const on = { ...Object.fromEntries(callbacks), proxy_on_request_trailers: trailers };
  const outcome = played(on, exchange);
  expect(outcome).toMatchObject({
    request: { headers: [[":path", "/"]], body: text, trailers: [["x-end", "1"]] },
    response: { headers: [[":status", "200"]], body: text, trailers: [] },
    localResponse: null,
    isReset: false,
    held: null,
    trap: null,
  });
  // The last piece is told that it is the last, unless trailers follow.
  expect(messages(outcome)).toEqual([
    "proxy_on_request_headers 1 0",
    "proxy_on_request_body 1 0",
    "proxy_on_request_body 1 0",
    "trailers",
    "proxy_on_response_headers 1 0",
    "proxy_on_response_body 1 0",
    "proxy_on_response_body 1 1",
  ]);
});

/** The context of the first stream: the root's is 1. */
const STREAM = 2;

const CHECK = encodePairs([
  [":method", "GET"],
  [":path", "/check"],
  [":authority", "authz"],
]);

/** Pauses a request until the cluster "authz" has answered, and says what it answers. */
const asks: Readonly<Record<string, Callback>> = {
  proxy_on_request_headers: {
    steps: [call("proxy_http_call", "authz", CHECK, "", "", 100, word())],
    returns: 1,
  },
  proxy_on_http_call_response: {
    steps: [
      call("proxy_set_effective_context", STREAM),
      call("proxy_get_header_map_value", 6, ":status", bytes()),
      call("proxy_continue_stream", 0),
    ],
  },
};

test("callouts are answered before the upstream answers", () => {
  const upstreams = { authz: { status: 204, delayMs: 50 } };
  const outcome = played(asks, { ...OK, upstreams });
  expect(messages(outcome)).toContainEqual(expect.stringContaining("204"));
  expect(outcome).toMatchObject({ held: null, request: {}, response: {} });
});

test.each([
  ["is reset", { reset: true }],
  ["comes too late", { delayMs: 101 }],
])("a callout whose answer %s has failed", (_, authz) => {
  const outcome = played(asks, { ...OK, upstreams: { authz } });
  expect(messages(outcome).join()).not.toContain("200");
  expect(outcome.held).toBe(null);
});

test("what a plugin never lets go is held, and gets no response", () => {
  const holds = { proxy_on_request_headers: { steps: [], returns: 1 } };
  expect(played(holds, OK)).toMatchObject({ request: null, response: null, held: "request" });
});

test("a plugin's own answer takes the place of the upstream's", () => {
  const steps = [call("proxy_send_local_response", 403, "denied", "no", "", -1)];
  const outcome = played({ proxy_on_request_headers: { steps, returns: 1 } }, OK);
  expect(outcome).toMatchObject({
    request: null,
    response: {
      headers: expect.arrayContaining([[":status", "403"]]),
      body: Buffer.from("no"),
    },
    localResponse: "denied",
    held: null,
  });
});

test("a trap is an outcome, and metrics tell what they moved by", () => {
  const count = [
    call("proxy_define_metric", 0, "hits", word("hits")),
    call("proxy_increment_metric", { use: "hits" }, 3n),
  ];
  const on = {
    proxy_on_request_headers: { steps: count },
    proxy_on_response_headers: { steps: [trap] },
  };
  const exchange = OK;
  const { host, root } = stage(loadPlugin(assembleProbe({ on })), exchange);
  expect(play(host, root, REQUEST).metrics).toEqual({ hits: 3n });
  const outcome = play(host, root, exchange);
  expect(outcome.metrics).toEqual({ hits: 3n });
  expect(outcome.trap?.message).toContain("proxy_on_response_headers trapped");
});

test("a connection passes what the client sends, then what the upstream sends", () => {
  const replaces: Callback = { steps: [call("proxy_set_buffer_bytes", 2, 0, 9, "HELLO")] };
  const on = { proxy_on_downstream_data: replaces };
  const connection = { downstream: ["hello"], upstream: ["welcome", "!"] };
  expect(played(on, { connection })).toMatchObject({
    request: { body: Buffer.from("HELLO") },
    response: { body: Buffer.from("welcome!") },
  });
});

test("a plugin that refuses its configuration is told by what it says", () => {
  const refuses: Callback = { steps: [say("no such tier")], returns: 0 };
  const start = () => played({ proxy_on_configure: refuses }, { ...OK, configuration: {} });
  expect(start).toThrow(Refusal);
  expect(start).toThrow("no such tier");
});

test("properties and forced statuses are those of the exchange", () => {
  const steps = [call("proxy_get_property", "source\0port", hex)];
  const on = { proxy_on_request_headers: { steps } };
  const properties = { source: { port: 80n } };
  const say = (exchange: Exchange) => messages(played(on, exchange))[0];
  expect(say({ ...OK, properties })).toBe("get_property 0 [5000000000000000]");
  expect(say(OK)).toBe("get_property 1 []");
  const faults = [{ call: "proxy_get_property", status: 10 }];
  expect(say({ ...OK, properties, faults })).toBe("get_property 10 []");
});
