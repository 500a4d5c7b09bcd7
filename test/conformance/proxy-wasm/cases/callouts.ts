import { encodePairs } from "@weft/sdk/host";
import { answers, ask, type Case, client, does, onRequest, said, type Table } from "../case.ts";
import { bytes, call, hidden, length, parameter, type Step, say, time, word } from "../probe.ts";
import { soon } from "./later.ts";

interface Callout {
  readonly cluster?: string;
  readonly path?: string;
  readonly without?: string;
  readonly body?: string;
  readonly trailers?: Uint8Array;
  readonly timeoutMs?: number;
  readonly headers?: readonly (readonly [string, string])[];
}

/** Long enough for any answer, on a busy machine too. */
const TIMEOUT_MS = 5_000;
/** Late enough for a client to be gone by then. */
const LATE_MS = 300;

const callout = ({ cluster = "upstream", path = "/callout", ...rest }: Callout = {}): Step => {
  const all = [
    ...([
      [":method", "POST"],
      [":path", path],
      [":authority", "upstream"],
    ] as const),
    ...(rest.headers ?? []),
  ].filter(([name]) => name !== rest.without);
  return call(
    "proxy_http_call",
    ...[cluster, encodePairs(all), rest.body ?? "", rest.trailers ?? new Uint8Array()],
    ...[rest.timeoutMs ?? TIMEOUT_MS, word()],
  );
};

const [HEADERS, TRAILERS, BODY] = [6, 7, 4];
const header = (name: string, kind = HEADERS) =>
  call("proxy_get_header_map_value", kind, name, bytes());
const body = call("proxy_get_buffer_bytes", BODY, 0, 99, bytes());
const status = call("proxy_get_status", word(), bytes());
const resume = [call("proxy_set_effective_context", 2), call("proxy_continue_stream", 0)];

/** What a probe does with an answer; the number of its headers is the upstream's affair. */
const answered = (...steps: Step[]) => ({
  proxy_on_http_call_response: does(say("answer", 0, 1, 3, 4), ...steps),
});

const on = (id: string, title: string, rest: Omit<Case, "id" | "title">): Case => {
  return { id: `callouts.${id}`, title, ...rest };
};

/** A callout holds its stream, and its answer lets it go. */
const held = (made: Callout, ...steps: Step[]): Pick<Case, "probe"> => ({
  probe: {
    on: {
      proxy_on_request_headers: answers(1, callout(made)),
      ...answered(...steps, ...resume),
    },
  },
});

/** HTTP callouts. */
export const callouts: Table = [
  on("http", "a callout's answer resumes the stream", held({}, header(":status"), body)),
  on("body", "a callout sends a body", held({ body: "abc" }, header(":status"), body)),
  on(
    "sent",
    "what a callout sends",
    held({ body: "abc", headers: [["X-T-A", "one"]] }, header("x-saw")),
  ),
  on(
    "length",
    "a callout's length, where the plugin gives another",
    held({ body: "abc", headers: [["content-length", "1"]] }, body),
  ),
  on(
    "trailers-sent",
    "a callout sends trailers",
    held({ trailers: encodePairs([["x-t-z", "1"]]) }, header("x-saw"), body),
  ),
  on(
    "trailers",
    "an answer has trailers",
    held({ path: "/trailers" }, header("x-t-z", TRAILERS), header("x-t-z"), body),
  ),
  on("missing", "an answer is a refusal", held({ path: "/missing" }, header(":status"), status)),
  on(
    "large",
    "an answer of 70,000 bytes",
    held({ path: "/large" }, call("proxy_get_buffer_bytes", BODY, 69_990, 99, bytes())),
  ),
  on(
    "drop",
    "an upstream that goes away",
    held({ path: "/drop" }, status, header(":status"), body),
  ),
  on(
    "timeout",
    "an answer that does not come in time",
    held({ path: "/silence", timeoutMs: 30 }, status, header(":status"), body),
  ),
  on("failed", "whether a callout that has failed has headers", {
    probe: {
      on: {
        proxy_on_request_headers: answers(1, callout({ path: "/silence", timeoutMs: 30 })),
        proxy_on_http_call_response: does(say("headers", 2), ...resume),
      },
    },
    spec: [
      ...["http_call 0 4", "headers 0", "set_effective_context 0", "continue_stream 0"],
      "client 200 upstream",
    ],
  }),
  on("stream-maps", "the stream's headers on an answer", {
    ...held(
      {},
      call("proxy_get_header_map_value", 0, ":method", bytes()),
      call("proxy_set_effective_context", 2),
      call("proxy_get_header_map_value", 0, ":method", bytes()),
      call("proxy_add_header_map_value", 0, "x-t-late", "1"),
      header(":status"),
      body,
    ),
  }),
  on(
    "respond",
    "a stream is answered because of an answer",
    held(
      {},
      call("proxy_set_effective_context", 2),
      call("proxy_send_local_response", 403, "why", "no", new Uint8Array(), -1),
    ),
  ),
  on("several", "two callouts at once, the first of which is answered last", {
    probe: {
      on: {
        proxy_on_request_headers: answers(1, callout({ path: "/later" }), callout()),
        ...answered(time(2, ...resume)),
      },
    },
  }),
  on("chain", "a callout is made on the answer of another", {
    probe: {
      on: {
        proxy_on_request_headers: answers(1, callout({ body: "one" })),
        ...answered(body, time(1, callout({ body: "two" })), time(2, ...resume)),
      },
    },
  }),
  on("gone", "an answer after the stream that asked is gone", {
    probe: {
      on: {
        proxy_on_request_headers: answers(
          1,
          callout({ path: "/silence", timeoutMs: LATE_MS }),
          say("asked"),
        ),
        proxy_on_delete: does(say("delete", 0)),
        ...answered(status, ...resume, say("end")),
      },
    },
    play: [client.openAll(), said("asked"), client.reset, said("end")],
  }),
  ...(["log", "done", "delete"] as const).map((where) =>
    on(`from-${where}`, `a callout from proxy_on_${where}`, {
      probe: {
        on: {
          [`proxy_on_${where}`]: answers(1, callout()),
          ...answered(header(":status"), say("end")),
        },
      },
      play: [...ask, said("end")],
    }),
  ),
  on("from-configure", "a callout while it is configured", {
    probe: { on: { proxy_on_configure: answers(1, callout()), ...answered(say("end")) } },
    play: [said("end"), ...ask],
  }),
  on("from-vm-start", "a callout while its VM starts", {
    probe: { on: { proxy_on_vm_start: answers(1, callout()), ...answered(say("end")) } },
    play: [said("end"), ...ask],
  }),
  on("from-tick", "a callout from a tick", {
    probe: {
      on: {
        proxy_on_configure: answers(1, soon),
        proxy_on_tick: does(time(1, call("proxy_set_tick_period_milliseconds", 0), callout())),
        ...answered(say("end")),
      },
    },
    play: [said("end"), ...ask],
  }),
  on("from-create", "a callout while a stream is made", {
    probe: {
      on: {
        proxy_on_context_create: does(time(2, callout())),
        ...answered(say("end")),
      },
    },
    play: [...ask, said("end")],
  }),
  on("no-callback", "an answer that nobody waits for", {
    probe: {
      on: { proxy_on_request_headers: answers(0, callout()), proxy_on_log: does(say("log")) },
    },
    play: [...ask, ...ask, said("log", 2)],
  }),
  on("late", "nothing of an answer can be read after it", {
    probe: {
      on: {
        proxy_on_request_headers: answers(0, callout()),
        ...answered(soon),
        proxy_on_tick: does(
          time(
            1,
            call("proxy_set_tick_period_milliseconds", 0),
            header(":status"),
            body,
            status,
            call("proxy_get_header_map_pairs", HEADERS, length),
            say("later"),
          ),
        ),
      },
    },
    play: [...ask, said("later")],
  }),
  on("write", "an answer is changed", {
    probe: {
      on: {
        proxy_on_request_headers: answers(0, callout()),
        ...answered(
          call("proxy_set_buffer_bytes", BODY, 0, 0, "x"),
          call("proxy_add_header_map_value", HEADERS, "x-a", "1"),
          header("x-a"),
          body,
          say("end"),
        ),
      },
    },
    play: [...ask, said("end")],
  }),
  on("grpc-ids", "a callout is no call of gRPC", {
    probe: {
      on: {
        proxy_on_request_headers: answers(0, callout()),
        ...answered(
          call("proxy_grpc_cancel", parameter(1)),
          call("proxy_grpc_close", parameter(1)),
          call("proxy_grpc_send", parameter(1), "x", 0),
          say("end"),
        ),
      },
    },
    play: [...ask, said("end")],
  }),
  ...(
    [
      ["unknown-cluster", { cluster: "none" }],
      ["no-path", { without: ":path" }],
      ["no-method", { without: ":method" }],
      ["no-authority", { without: ":authority" }],
      ["negative-timeout", { timeoutMs: -1 }],
      ["empty-cluster", { cluster: "" }],
    ] as const
  ).map(([name, made]) => on(name, `a callout with ${name}`, { probe: onRequest(callout(made)) })),
  on("malformed", "a callout whose headers are malformed", {
    probe: onRequest(
      call("proxy_http_call", "upstream", Uint8Array.of(9), "", new Uint8Array(), 9, hidden()),
    ),
  }),
  {
    id: "callouts.unknown-ids",
    title: "gRPC ids that nobody has",
    probe: onRequest(
      call("proxy_grpc_send", 401, "x", 0),
      call("proxy_grpc_send", 402, "x", 0),
      call("proxy_grpc_cancel", 401),
      call("proxy_grpc_cancel", 402),
      call("proxy_grpc_close", 401),
      call("proxy_grpc_close", 402),
      call("proxy_grpc_cancel", 400),
      call("proxy_grpc_close", 400),
    ),
  },
  {
    id: "callouts.grpc-unknown-cluster",
    title: "a gRPC call to no cluster",
    probe: onRequest(
      call("proxy_grpc_call", "none", "s", "m", new Uint8Array(), "x", 9, word()),
      call("proxy_grpc_stream", "none", "s", "m", new Uint8Array(), word()),
    ),
  },
  {
    id: "callouts.foreign-unknown",
    title: "a foreign function that is not there",
    probe: onRequest(call("proxy_call_foreign_function", "none", "x", bytes())),
  },
];
