import { expect, test } from "vitest";
import {
  assembleProbe,
  type Callback,
  call,
  say,
  trap,
  word,
} from "../../../test/conformance/proxy-wasm/probe.ts";
import type { HttpExchange } from "./exchange.ts";
import { createReplay, differences, recordedOutcome } from "./replay.ts";
import { loadPlugin } from "./stage.ts";

const GET: HttpExchange = {
  request: { headers: [[":path", "/"]] },
  response: { headers: [[":status", "200"]], body: ["hello"] },
};

const on = (callbacks: Readonly<Record<string, Callback>>) =>
  createReplay(loadPlugin(assembleProbe({ on: callbacks })));

const adds = (name: string, value: string) =>
  on({
    proxy_on_request_headers: { steps: [call("proxy_add_header_map_value", 0, name, value)] },
  });

test("the same twice differs in nothing", () => {
  expect(differences(adds("a", "1").play(GET), adds("a", "1").play(GET))).toEqual([]);
});

test("headers that differ are named, with all their values", () => {
  const exchange: HttpExchange = { ...GET, request: { headers: [["a", "0"]] } };
  expect(differences(adds("a", "1").play(exchange), adds("B", "2").play(exchange))).toEqual([
    { what: "request header a", before: '"0", "1"', after: '"0"' },
    { what: "request header b", before: "nothing", after: '"2"' },
  ]);
});

test("bodies are shown from where they differ", () => {
  const steps = [call("proxy_set_buffer_bytes", 1, 0, 9, "help")];
  const changes = on({ proxy_on_response_body: { steps } });
  expect(differences(on({}).play(GET), changes.play(GET))).toEqual([
    { what: "response body", before: '5 bytes, at 3 "lo"', after: '4 bytes, at 3 "p"' },
  ]);
});

test("an answer of the plugin's own, a trap and metrics are differences too", () => {
  const count = [
    call("proxy_define_metric", 0, "denied", word("denied")),
    call("proxy_increment_metric", { use: "denied" }, 1n),
  ];
  const answers = [...count, call("proxy_send_local_response", 403, "no", "", "", -1)];
  const denies = on({ proxy_on_request_headers: { steps: answers, returns: 1 } });
  const names = differences(on({}).play(GET), denies.play(GET)).map(({ what }) => what);
  expect(names).toEqual([
    "request",
    "response header :status",
    "response body",
    "own answer",
    "metric denied",
  ]);
  const traps = on({ proxy_on_request_headers: { steps: [trap] } });
  const [first] = differences(on({}).play(GET), traps.play(GET));
  expect(first).toMatchObject({ what: "trap", before: "none" });
});

test("a VM keeps what it has seen, and one that has trapped is made anew", () => {
  const counts = on({
    proxy_on_request_headers: { steps: [say("seen", 0)] },
    proxy_on_request_trailers: { steps: [trap] },
  });
  const context = (exchange: HttpExchange) => {
    const outcome = counts.play(exchange);
    return "logs" in outcome ? outcome.logs[0]?.message : outcome.refusal;
  };
  const traps: HttpExchange = { request: { headers: [], trailers: [] } };
  expect([GET, GET, traps, GET].map(context)).toEqual(["seen 2", "seen 3", "seen 4", "seen 2"]);
});

test("what was recorded is compared, and nothing else", () => {
  const { play } = adds("a", "1");
  const recorded: HttpExchange = {
    ...GET,
    recorded: { response: { headers: [[":status", "204"]] } },
  };
  expect(recordedOutcome(GET)).toBe(null);
  expect(differences(recordedOutcome(recorded) ?? {}, play(recorded))).toEqual([
    { what: "response header :status", before: '"204"', after: '"200"' },
    { what: "response body", before: '0 bytes, at 0 ""', after: '5 bytes, at 0 "hello"' },
  ]);
});

test("a configuration that only one build takes is a difference", () => {
  const refuses = on({ proxy_on_configure: { steps: [say("no")], returns: 0 } });
  expect(differences(on({}).play(GET), refuses.play(GET))).toEqual([
    { what: "configuration", before: "taken", after: "no" },
  ]);
});
