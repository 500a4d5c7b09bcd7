import { encodePairs } from "@weft/sdk/host";
import { answers, ask, type Case, client, does, said, type Table, upstream } from "../case.ts";
import { call, hidden, say, trap, word } from "../probe.ts";

const POLICIES = ["FAIL_CLOSED", "FAIL_OPEN", "FAIL_RELOAD"] as const;

/** A request with all that callbacks are about, and a response. */
const asked = [client.open(), client.send("ab"), client.trail(["x-t-z", "1"])];
const whole = [
  ...asked,
  ...[upstream.open([":status", "200"]), upstream.send("cd"), upstream.trail(["x-t-z", "1"])],
  client.closed,
];

/** Where a trap comes before the upstream is asked, it has nothing to answer. */
const requestOf = (callback: string) =>
  callback.startsWith("proxy_on_request") ? [...asked, client.closed] : whole;

const STREAM_CALLBACKS = [
  "proxy_on_context_create",
  "proxy_on_request_headers",
  "proxy_on_request_body",
  "proxy_on_request_trailers",
  "proxy_on_response_headers",
  "proxy_on_response_body",
  "proxy_on_response_trailers",
  "proxy_on_log",
  "proxy_on_done",
  "proxy_on_delete",
];

const CALLOUT = [
  [":method", "GET"],
  [":path", "/callout"],
  [":authority", "upstream"],
] as const;

const short = (callback: string) => callback.replace("proxy_on_", "").replaceAll("_", "-");

/** Short enough that the next request finds the VM old enough. */
const SHORT_MS = 2;
/** Long enough that no request of a case finds the VM old enough. */
const NEVER_RELOADED_MS = 60_000;

/** Traps, what the client sees of them, and what becomes of requests after them. */
export const failure: Table = [
  ...STREAM_CALLBACKS.filter((name) => name !== "proxy_on_context_create").map(
    (callback): Case => ({
      id: `failure.${short(callback)}`,
      title: `a trap in ${callback}, and the request after it`,
      probe: {
        on: {
          proxy_on_request_headers: does(say("request", 0)),
          proxy_on_log: does(say("log", 0)),
          proxy_on_done: answers(1, say("done", 0)),
          proxy_on_delete: does(say("delete", 0)),
          [callback]: does(say("traps"), trap),
        },
      },
      play: [...requestOf(callback), said("traps"), ...ask],
    }),
  ),
  ...POLICIES.flatMap((failurePolicy) =>
    ["request_headers", "response_headers", "log"].map(
      (callback): Case => ({
        id: `failure.${failurePolicy}-${short(callback)}`,
        title: `${failurePolicy}: a trap in proxy_on_${callback}, and two requests after it`,
        failurePolicy,
        ...(failurePolicy === "FAIL_RELOAD" && { reloadIntervalMs: NEVER_RELOADED_MS }),
        probe: {
          on: {
            proxy_on_request_headers: does(say("request", 0)),
            [`proxy_on_${callback}`]: does(say("traps"), trap),
          },
        },
        play: [...ask, said("traps"), ...ask, ...ask],
      }),
    ),
  ),
  {
    id: "failure.reloaded",
    title: "a VM that is old enough is made anew for the request after a trap",
    failurePolicy: "FAIL_RELOAD",
    reloadIntervalMs: SHORT_MS,
    probe: {
      on: {
        proxy_on_configure: answers(1, say("configure")),
        proxy_on_context_create: does(say("create", 0, 1)),
        proxy_on_request_headers: does(say("request", 0)),
        proxy_on_request_body: does(say("traps"), trap),
      },
    },
    play: [client.open(), client.send("ab"), client.closed, said("traps"), ...ask, ...ask],
  },
  {
    id: "failure.reload-1ms",
    title: "a VM is made anew after 1 ms",
    failurePolicy: "FAIL_RELOAD",
    reloadIntervalMs: 1,
    probe: { on: { proxy_on_request_body: does(trap) } },
    play: [client.open(), client.send("ab"), client.closed, ...ask],
    killsEnvoy: true,
    because:
      "Envoy divides by half of the milliseconds, which here is none: 2 ms are the least that it bears",
  },
  {
    id: "failure.tick-open",
    title: "FAIL_OPEN: a trap on a tick, and a request after it",
    failurePolicy: "FAIL_OPEN",
    probe: {
      on: {
        proxy_on_configure: answers(1, call("proxy_set_tick_period_milliseconds", 10)),
        proxy_on_tick: does(say("traps"), trap),
        proxy_on_request_headers: does(say("request")),
      },
    },
    play: [said("traps"), ...ask],
  },
  {
    id: "failure.callout",
    title: "a trap on a callout's answer, while the stream that asked is held",
    probe: {
      on: {
        proxy_on_request_headers: answers(
          1,
          call(
            "proxy_http_call",
            ...["upstream", encodePairs(CALLOUT), "", new Uint8Array(), 5_000, word()],
          ),
        ),
        proxy_on_http_call_response: does(say("traps"), trap),
      },
    },
    play: [client.openAll(), said("traps"), ...ask],
  },
  {
    id: "failure.queue",
    title: "a trap on a queue's value, and a request after it",
    probe: {
      on: {
        proxy_on_request_headers: does(
          call("proxy_register_shared_queue", "queue", hidden("id")),
          call("proxy_enqueue_shared_queue", { use: "id" }, "x"),
        ),
        proxy_on_queue_ready: does(say("traps"), trap),
      },
    },
    play: [...ask, said("traps"), ...ask],
  },
  {
    id: "failure.shared-vm",
    title: "a trap in a plugin, and another plugin of its VM",
    probe: {
      on: {
        proxy_on_request_headers: does(say("request", 0)),
        proxy_on_request_body: does(say("traps"), trap),
      },
    },
    configuration: "one",
    beside: [{ configuration: "other", failurePolicy: "FAIL_OPEN" }],
    play: [client.open(), client.send("ab"), client.end, client.closed, ...ask],
  },
  {
    id: "failure.other-vm",
    title: "a trap in a plugin, and another plugin of another VM",
    failurePolicy: "FAIL_OPEN",
    probe: {
      on: {
        proxy_on_request_headers: does(say("request", 0)),
        proxy_on_request_body: does(say("traps"), trap),
      },
    },
    beside: [{ vm: "other", probe: { on: { proxy_on_request_headers: does(say("other", 0)) } } }],
    play: [client.open(), client.send("ab"), client.end, client.closed, ...ask],
  },
  {
    id: "failure.asked-before",
    title: "what a plugin asked for before it traps",
    probe: {
      on: {
        proxy_on_request_headers: does(
          call("proxy_send_local_response", 200, "", "no", new Uint8Array(), -1),
          trap,
        ),
      },
    },
  },
  {
    id: "failure.streams",
    title: "a stream that is held while another traps",
    probe: {
      on: {
        proxy_on_request_headers: does(say("request", 0)),
        proxy_on_request_body: answers(1, say("body", 0, 2)),
        proxy_on_request_trailers: does(say("traps"), trap),
        proxy_on_log: does(say("log", 0)),
      },
    },
    play: [
      ...[client.open(), client.send("ab"), said("body 2 0")],
      ...[client.open(), client.trail(["x-t-z", "1"]), said("traps"), client.closed],
    ],
  },
];
