import { encodePairs, type Header } from "@weft/sdk/host";
import { answers, type Case, client, does, NEVER_MS, said, type Table, upstream } from "../case.ts";
import { bytes, type Callback, call, type Step, say, time, word } from "../probe.ts";
import { later, soon } from "./later.ts";

const RESPONSE = 1;
const READ = call("proxy_get_buffer_bytes", 1, 0, 99, bytes());
const write = (start: number, length: number, value: string) =>
  call("proxy_set_buffer_bytes", 1, start, length, value);
const resume = call("proxy_continue_stream", RESPONSE);
const added = encodePairs([["x-added", "1"]]);
const respond = (status = 502, body = "no", grpcStatus = -1) =>
  call("proxy_send_local_response", status, "why", body, added, grpcStatus);
const close = call("proxy_close_stream", RESPONSE);
const add = (value: string) => call("proxy_add_header_map_value", 2, "x-added", value);

const headers = (returns: Callback["returns"], ...steps: Step[]) =>
  answers(returns ?? 0, say("headers", 2), ...steps);
const body = (returns: Callback["returns"], ...steps: Step[]) =>
  answers(returns ?? 0, say("body", 1, 2), ...steps);
const trailers = (returns: Callback["returns"], ...steps: Step[]) =>
  answers(
    returns ?? 0,
    say("trailers", 1),
    call("proxy_get_header_map_value", 3, "x-t-z", bytes()),
    ...steps,
  );

const OK: Header = [":status", "200"];
/** The upstream answers with a body in two chunks, the second once the first has been told. */
const chunks = (first: string, second: string) => [
  ...[client.openAll(), upstream.open(OK), upstream.send("ab"), said(first)],
  ...[upstream.send("cd"), said(second), upstream.end, client.closed],
];
const TRAILERS = [
  ...[client.openAll(), upstream.open(OK), upstream.send("ab")],
  ...[upstream.trail(["x-t-z", "1"]), client.closed],
];

const on = (id: string, title: string, rest: Omit<Case, "id" | "title">): Case => {
  return { id: `responses.${id}`, title, ...rest };
};

const life = {
  proxy_on_log: does(
    say("log"),
    call("proxy_get_header_map_value", 2, ":status", bytes()),
    call("proxy_get_property", "response\0code_details", bytes()),
  ),
  proxy_on_done: answers(1, say("done")),
  proxy_on_delete: does(say("delete")),
};

const whole: Table = [
  on("chunks", "chunks go on one by one", {
    probe: { on: { proxy_on_response_body: body(0, READ) } },
    play: [
      ...[client.openAll(), upstream.open(OK), upstream.send("ab"), said("body 2 0")],
      ...[client.sees("ab"), upstream.send("cd"), said("body 2 0", 2), upstream.end, client.closed],
    ],
  }),
  ...[1, 2].map((answer) =>
    on(`chunks-held-${answer}`, `chunks are held with ${answer} and let go with the last`, {
      probe: { on: { proxy_on_response_body: body([answer, answer, 0], READ) } },
      play: chunks("body 2 0", answer === 1 ? "body 4 0" : "get_buffer_bytes 0 [cd]"),
    }),
  ),
  on("chunks-dropped", "a chunk that is not kept", {
    probe: { on: { proxy_on_response_body: body([3, 0], READ) } },
    play: chunks("body 2 0", "get_buffer_bytes 0 [cd]"),
  }),
  on("chunks-held-later", "chunks that are held are let go from outside", {
    probe: {
      on: {
        proxy_on_response_body: body([1, 1, 0], time(2, soon)),
        proxy_on_tick: later(READ, resume),
      },
    },
    play: [
      ...[client.openAll(), upstream.open(OK), upstream.send("ab"), said("body 2 0")],
      ...[upstream.send("cd"), client.sees("abcd"), upstream.send("ef"), said("body 2 0", 2)],
      ...[upstream.end, client.closed],
    ],
  }),
  on("chunks-resumed", "chunks are held and let go in the callback of the second", {
    probe: { on: { proxy_on_response_body: body([1, 1, 0], READ, time(2, resume)) } },
    play: chunks("body 2 0", "body 4 0"),
  }),
  on("end-only-held", "an end without bytes is held", {
    probe: {
      on: {
        proxy_on_response_body: body([0, 1], time(2, soon)),
        proxy_on_tick: later(READ, resume),
      },
    },
    play: [
      ...[client.openAll(), upstream.open(OK), upstream.send("ab"), client.sees("ab")],
      ...[upstream.end, client.closed],
    ],
  }),
  on("end-held-write", "a body that is held is replaced from outside", {
    probe: {
      on: {
        proxy_on_response_body: body(1, time(3, soon)),
        proxy_on_tick: later(write(0, 99, "changed"), READ, resume),
      },
    },
    play: chunks("body 2 0", "body 4 0"),
  }),
  on("without-body", "a response of headers alone", {
    probe: { on: { proxy_on_response_headers: headers(0), proxy_on_response_body: body(0) } },
    play: [client.openAll(), upstream.openAll([":status", "204"]), client.closed],
  }),
  ...[1, 3, 4].map((answer) =>
    on(`headers-held-${answer}`, `headers are held with ${answer}, and a body waits`, {
      probe: {
        on: {
          proxy_on_response_headers: headers(answer, soon),
          proxy_on_response_body: body(0, READ),
          proxy_on_tick: later(
            call("proxy_get_header_map_value", 2, ":status", bytes()),
            add("late"),
            READ,
            resume,
          ),
        },
      },
    }),
  ),
  on("resumed-map", "headers that have been let go", {
    probe: {
      on: {
        proxy_on_response_headers: headers(1, soon),
        proxy_on_tick: later(
          resume,
          call("proxy_get_header_map_value", 2, ":status", bytes()),
          call("proxy_get_header_map_value", 0, ":method", bytes()),
        ),
      },
    },
  }),
  on("resumed-map-later", "headers that have been let go, some time later", {
    probe: {
      on: {
        proxy_on_response_headers: headers(1, soon),
        proxy_on_tick: does(
          call("proxy_set_effective_context", 2),
          time(1, resume),
          call("proxy_get_header_map_value", 2, ":status", bytes()),
          time(2, call("proxy_set_tick_period_milliseconds", 0), say("end")),
        ),
      },
    },
    play: [
      ...[client.openAll(), upstream.open(OK), upstream.send("ab"), said("end")],
      ...[upstream.end, client.closed],
    ],
  }),
  on("headers-let-through", "headers are held alone, and let go with the body", {
    allowsHeadersStop: true,
    probe: {
      on: {
        proxy_on_response_headers: headers(1),
        proxy_on_response_body: body([1, 1], time(2, soon)),
        proxy_on_tick: later(add("late"), resume),
      },
    },
  }),
  on("headers-resumed", "headers are held and let go at once, and a body follows", {
    patienceMs: NEVER_MS,
    probe: {
      on: { proxy_on_response_headers: headers(1, resume), proxy_on_response_body: body(0, READ) },
    },
  }),
  on("headers-alone-held", "headers without a body are held", {
    probe: {
      on: { proxy_on_response_headers: headers(1, soon), proxy_on_tick: later(resume) },
    },
    play: [client.openAll(), upstream.openAll([":status", "204"]), client.closed],
  }),
  on("status", "the status is replaced", {
    probe: {
      on: {
        proxy_on_response_headers: headers(
          0,
          call("proxy_replace_header_map_value", 2, ":status", "418"),
        ),
      },
    },
  }),
  on("trailers", "trailers are told after the body", {
    probe: {
      on: {
        proxy_on_response_body: body(0),
        proxy_on_response_trailers: trailers(
          0,
          call("proxy_add_header_map_value", 3, "x-t-y", "2"),
          call("proxy_get_header_map_size", 3, word()),
        ),
      },
    },
    play: TRAILERS,
  }),
  on("trailers-held", "trailers are held and let go from outside", {
    probe: {
      on: { proxy_on_response_trailers: trailers(1, soon), proxy_on_tick: later(resume) },
    },
    play: TRAILERS,
  }),
  on("trailers-body-held", "a body that is held goes on with the trailers", {
    probe: {
      on: { proxy_on_response_body: body(1), proxy_on_response_trailers: trailers(0, READ) },
    },
    play: TRAILERS,
  }),
  on("trailers-added", "trailers are added at the end of a body", {
    probe: {
      on: {
        proxy_on_response_body: body(
          0,
          time(2, call("proxy_add_header_map_value", 3, "x-t-y", "2")),
        ),
        proxy_on_response_trailers: does(say("trailers", 1)),
      },
    },
    play: [
      ...[client.openAll(), upstream.open(OK), upstream.send("ab"), said("body 2 0")],
      ...[upstream.end, client.closed],
    ],
  }),
  on("trailers-log", "trailers while it logs", {
    probe: {
      on: {
        proxy_on_log: does(
          call("proxy_get_header_map_value", 3, "x-t-z", bytes()),
          call("proxy_get_header_map_value", 1, "x-t-z", bytes()),
        ),
      },
    },
    play: TRAILERS,
  }),
  on("upstream-resets", "the upstream goes away in the middle of a body", {
    probe: { on: { proxy_on_response_body: body(0), ...life } },
    play: [
      ...[client.openAll(), upstream.open(OK), upstream.send("ab"), client.sees("ab")],
      ...[upstream.reset, client.closed, said("delete")],
    ],
  }),
  on("upstream-absent", "the upstream goes away before it answers", {
    probe: { on: { proxy_on_response_headers: headers(0), ...life } },
    play: [client.openAll(), upstream.reset, client.closed, said("delete")],
  }),
];

const places = ["headers", "body", "trailers"];
const step = { close, respond: respond() };

const closes: Table = Object.entries(step).flatMap(([name, act]) => [
  ...places.map((place) =>
    on(`${name}-on-${place}`, `on ${place} of the response the plugin ${name}s`, {
      probe: { on: { [`proxy_on_response_${place}`]: answers(1, say(place), act), ...life } },
      play: [...TRAILERS, said("delete")],
    }),
  ),
  on(`${name}-continues`, `on headers of the response it ${name}s, and answers Continue`, {
    probe: { on: { proxy_on_response_headers: answers(0, say("headers"), act), ...life } },
    play: [...TRAILERS, said("delete")],
  }),
  on(`${name}-later`, `from outside, while the response is held, the plugin ${name}s`, {
    probe: {
      on: { proxy_on_response_headers: headers(1, soon), proxy_on_tick: later(act), ...life },
    },
    play: [...TRAILERS, said("delete")],
  }),
  on(`${name}-begun`, `after the response has begun the plugin ${name}s`, {
    probe: {
      on: { proxy_on_response_headers: headers(0, soon), proxy_on_tick: later(act), ...life },
    },
    play: [
      ...[client.openAll(), upstream.open(OK), upstream.send("ab"), client.sees("ab")],
      ...[said("later"), client.closed, said("delete")],
    ],
  }),
]);

/** Responses: headers, bodies in chunks and trailers, held back, changed and replaced. */
export const responses: Table = [...whole, ...closes];
