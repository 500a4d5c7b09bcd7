import { encodePairs } from "@weft/sdk/host";
import { answers, type Case, client, does, NEVER_MS, said, type Table } from "../case.ts";
import { bytes, type Callback, call, type Step, say, time, word } from "../probe.ts";
import { later, soon } from "./later.ts";

const REQUEST = 0;
const READ = call("proxy_get_buffer_bytes", 0, 0, 99, bytes());
const write = (start: number, length: number, value: string) =>
  call("proxy_set_buffer_bytes", 0, start, length, value);
const resume = call("proxy_continue_stream", REQUEST);
const respond = call("proxy_send_local_response", 403, "why", "no", new Uint8Array(), -1);
const close = call("proxy_close_stream", REQUEST);

const body = (returns: Callback["returns"], ...steps: Step[]) =>
  answers(returns ?? 0, say("body", 1, 2), ...steps);

/** Two chunks, the second once the first has been told, then the end. */
const chunks = (first: string, second: string) => [
  client.open(),
  client.send("ab"),
  said(first),
  client.send("cd"),
  said(second),
  client.end,
  client.closed,
];

const on = (id: string, title: string, rest: Omit<Case, "id" | "title">): Case => {
  return { id: `requests.${id}`, title, ...rest };
};

const bodies: Table = [
  on("chunks", "chunks go on one by one", {
    probe: { on: { proxy_on_request_body: body(0, READ) } },
    play: [
      ...[client.open(), client.send("ab"), said("body 2 0"), client.send("cd")],
      ...[said("body 2 0", 2), client.end, client.closed],
    ],
  }),
  ...[1, 2].map((answer) =>
    on(`chunks-held-${answer}`, `chunks are held with ${answer} and let go with the last`, {
      probe: { on: { proxy_on_request_body: body([answer, answer, 0], READ) } },
      play: chunks("body 2 0", answer === 1 ? "body 4 0" : "get_buffer_bytes 0 [cd]"),
    }),
  ),
  ...[3, 9].map((answer) =>
    on(`chunks-dropped-${answer}`, `a chunk that is answered with ${answer}`, {
      probe: { on: { proxy_on_request_body: body([answer, 0], READ) } },
      play: chunks("body 2 0", "get_buffer_bytes 0 [cd]"),
    }),
  ),
  on("chunks-held-resumed", "chunks are held and let go in the callback of the second", {
    probe: { on: { proxy_on_request_body: body([1, 1, 0], READ, time(2, resume)) } },
    play: chunks("body 2 0", "body 4 0"),
  }),
  on("chunks-held-later", "chunks that are held are let go from outside", {
    probe: {
      on: {
        proxy_on_request_body: body([1, 1, 0], time(2, soon)),
        proxy_on_tick: later(READ, resume),
      },
    },
    play: [
      ...[client.open(), client.send("ab"), said("body 2 0"), client.send("cd")],
      ...[said("later"), client.send("ef"), said("body 2 0", 2), client.end, client.closed],
    ],
  }),
  on("end-held-later", "the end of a body is held and let go from outside", {
    probe: {
      on: {
        proxy_on_request_body: body([1, 1], time(2, soon)),
        proxy_on_tick: later(READ, resume),
      },
    },
    request: { body: "abcd" },
  }),
  on("end-held-write", "a body that is held is replaced from outside", {
    probe: {
      on: {
        proxy_on_request_body: body([1, 1], time(2, soon)),
        proxy_on_tick: later(write(0, 99, "changed"), READ, resume),
      },
    },
    request: { body: "abcd" },
  }),
  ...[1, 2].flatMap((answer) => {
    const end = { proxy_on_request_body: body([0, answer], time(2, soon)) };
    return [
      on(`end-only-held-${answer}`, `an end without bytes is held with ${answer}`, {
        probe: { on: { ...end, proxy_on_tick: later(resume) } },
        request: { body: "abcd" },
      }),
      on(`end-only-read-${answer}`, `an end without bytes is held with ${answer}, and read`, {
        probe: { on: { ...end, proxy_on_tick: later(READ, resume) } },
        request: { body: "abcd" },
        // It keeps no buffer for nothing, and reads it nevertheless.
        killsEnvoy: answer === 2,
      }),
    ];
  }),
  on("written-chunks", "each chunk is replaced", {
    probe: { on: { proxy_on_request_body: body(0, write(0, 99, "x")) } },
    request: { body: "abcd" },
  }),
  on("written-end", "what is held is replaced at the end", {
    probe: { on: { proxy_on_request_body: body([1, 0], time(2, write(0, 99, "changed"), READ)) } },
    request: { body: "abcd" },
  }),
  on("written-held", "what is held is replaced before more comes", {
    probe: { on: { proxy_on_request_body: body([1, 1, 0], time(1, write(0, 99, "x")), READ) } },
    play: chunks("body 2 0", "body 3 0"),
  }),
  ...[1, 3, 4].map((answer) =>
    on(`headers-held-${answer}`, `headers are held with ${answer}, and a body waits`, {
      probe: {
        on: {
          proxy_on_request_headers: answers(answer, soon),
          proxy_on_request_body: body(0, READ),
          proxy_on_tick: later(
            call("proxy_get_header_map_value", 0, ":method", bytes()),
            call("proxy_add_header_map_value", 0, "x-t-late", "1"),
            READ,
            resume,
          ),
        },
      },
      request: { body: "abcd" },
    }),
  ),
  on("headers-held-told", "a body is told while headers are held", {
    probe: { on: { proxy_on_request_headers: answers(1), proxy_on_request_body: body(1) } },
    request: { body: "abcd" },
    patienceMs: NEVER_MS,
    spec: ["body 4 0", "body 4 1", "client nothing"],
  }),
  on("resumed-map", "headers that have been let go", {
    probe: {
      on: {
        proxy_on_request_headers: answers(1, soon),
        proxy_on_tick: later(
          resume,
          call("proxy_get_header_map_value", 0, ":method", bytes()),
          call("proxy_add_header_map_value", 0, "x-t-late", "1"),
        ),
      },
    },
  }),
  on("resumed-body", "a body that has been let go in its callback", {
    probe: { on: { proxy_on_request_body: body([1, 1], resume, READ) } },
    request: { body: "abcd" },
  }),
  on("resumed-in-callback", "headers that have been let go in their callback", {
    probe: {
      on: {
        proxy_on_request_headers: answers(
          1,
          resume,
          call("proxy_get_header_map_value", 0, ":method", bytes()),
        ),
      },
    },
  }),
  on("headers-held-let-through", "headers are held alone, where the host is told to", {
    allowsHeadersStop: true,
    probe: {
      on: {
        proxy_on_request_headers: answers(1),
        proxy_on_request_body: body([1, 0], READ),
      },
    },
    request: { body: "abcd" },
  }),
  on("headers-let-through-later", "headers are held alone, and the body lets them go", {
    allowsHeadersStop: true,
    probe: {
      on: {
        proxy_on_request_headers: answers(1),
        proxy_on_request_body: body([1, 1], time(2, soon)),
        proxy_on_tick: later(call("proxy_add_header_map_value", 0, "x-t-late", "1"), resume),
      },
    },
    request: { body: "abcd" },
  }),
  on("headers-resumed-body", "headers are held and let go at once, and a body follows", {
    patienceMs: NEVER_MS,
    probe: {
      on: { proxy_on_request_headers: answers(1, resume), proxy_on_request_body: body(0, READ) },
    },
    request: { body: "abcd" },
  }),
  on("headers-2-body", "headers are answered with 2, and a body follows", {
    probe: { on: { proxy_on_request_headers: answers(2), proxy_on_request_body: body(0, READ) } },
    request: { body: "abcd" },
  }),
  on("headers-on-held-body", "headers are there while the body is held with them", {
    allowsHeadersStop: true,
    probe: {
      on: {
        proxy_on_request_headers: answers(1),
        proxy_on_request_body: body(
          [1, 0],
          call("proxy_get_header_map_value", 0, ":method", bytes()),
          call("proxy_add_header_map_value", 0, "x-t-late", "1"),
        ),
      },
    },
    request: { body: "abcd" },
  }),
  on("resumed-twice", "a stream is resumed twice from outside", {
    probe: {
      on: {
        proxy_on_request_headers: answers(1, soon),
        proxy_on_tick: later(resume, resume),
      },
    },
  }),
];

const TRAILERS = [client.open(), client.send("ab"), client.trail(["x-t-z", "1"]), client.closed];

const value = (name: string) => call("proxy_get_header_map_value", 1, name, bytes());
const told = (returns: Callback["returns"], ...steps: Step[]) =>
  answers(returns ?? 0, say("trailers", 1), value("x-t-z"), ...steps);

const trailers: Table = [
  on("trailers", "trailers are told after the body", {
    probe: {
      on: {
        proxy_on_request_body: body(0),
        proxy_on_request_trailers: told(
          0,
          call("proxy_add_header_map_value", 1, "x-t-y", "2"),
          call("proxy_get_header_map_size", 1, word()),
        ),
      },
    },
    play: TRAILERS,
  }),
  on("trailers-set", "trailers are replaced", {
    probe: {
      on: {
        proxy_on_request_trailers: told(
          0,
          call("proxy_set_header_map_pairs", 1, encodePairs([["x-t-x", "3"]])),
        ),
      },
    },
    play: TRAILERS,
  }),
  on("trailers-held", "trailers are held and let go from outside", {
    probe: {
      on: {
        proxy_on_request_body: body(0),
        proxy_on_request_trailers: told(1, soon),
        proxy_on_tick: later(value("x-t-z"), READ, resume),
      },
    },
    play: TRAILERS,
  }),
  on("trailers-body-held", "a body that is held goes on with the trailers", {
    probe: {
      on: { proxy_on_request_body: body(1), proxy_on_request_trailers: told(0, READ) },
    },
    play: TRAILERS,
  }),
  on("trailers-resumed", "trailers are held and let go at once", {
    probe: { on: { proxy_on_request_trailers: told(1, resume) } },
    play: TRAILERS,
  }),
  on("trailers-headers-held", "trailers wait for headers that are held", {
    probe: {
      on: {
        proxy_on_request_headers: answers(1, soon),
        proxy_on_request_body: body(0),
        proxy_on_request_trailers: told(0),
        proxy_on_tick: later(value("x-t-z"), resume),
      },
    },
    play: TRAILERS,
  }),
  on("trailers-added", "trailers are added at the end of a body", {
    probe: {
      on: {
        proxy_on_request_body: body(
          0,
          time(2, call("proxy_add_header_map_value", 1, "x-t-y", "2"), value("x-t-y")),
        ),
        proxy_on_request_trailers: does(say("trailers", 1)),
      },
    },
    request: { body: "abcd" },
  }),
  on("trailers-on-headers", "headers on trailers", {
    probe: {
      on: {
        proxy_on_request_trailers: told(
          0,
          call("proxy_get_header_map_value", 0, ":method", bytes()),
        ),
      },
    },
    play: TRAILERS,
  }),
];

const life = {
  proxy_on_log: does(say("log")),
  proxy_on_done: answers(1, say("done")),
  proxy_on_delete: does(say("delete")),
};
const acts = [
  ["respond", "answers itself", respond],
  ["close", "closes the stream", close],
] as const;

const ends: Table = [
  ...acts.flatMap(([name, title, step]) => [
    on(`${name}-on-body`, `on a body the plugin ${title}`, {
      probe: { on: { proxy_on_request_body: body([1, 0], time(1, step)), ...life } },
      play: [client.open(), client.send("ab"), client.closed, said("delete")],
    }),
    on(`${name}-on-trailers`, `on trailers the plugin ${title}`, {
      probe: { on: { proxy_on_request_trailers: answers(0, step), ...life } },
      play: [...TRAILERS, said("delete")],
    }),
    on(`${name}-later`, `from outside the plugin ${title}`, {
      probe: {
        on: {
          proxy_on_request_headers: answers(1, soon),
          proxy_on_tick: later(step, resume),
          ...life,
        },
      },
      play: [client.openAll(), client.closed, said("delete")],
    }),
    on(`${name}-flowing`, `the plugin ${title} while nothing is held`, {
      probe: {
        on: { proxy_on_request_headers: answers(0, soon), proxy_on_tick: later(step), ...life },
      },
      play: [client.open(), said("later"), client.closed, said("delete")],
    }),
  ]),
  on("gone", "the client goes away in the middle of a body", {
    probe: { on: { proxy_on_request_body: body(0), ...life } },
    play: [client.open(), client.send("ab"), said("body 2 0"), client.reset, said("delete")],
  }),
  on("gone-held", "the client goes away from a stream that is held", {
    probe: {
      on: {
        proxy_on_request_headers: answers(1, say("headers")),
        proxy_on_tick: later(resume),
        ...life,
      },
    },
    play: [client.openAll(), said("headers"), client.reset, said("delete")],
  }),
  on("gone-effective", "the context of a stream that has gone away", {
    probe: {
      on: {
        proxy_on_request_headers: answers(1, say("headers")),
        proxy_on_tick: later(resume, respond, close),
        ...life,
        // The context lives on for a moment after its callback, and Envoy dies of calls then.
        proxy_on_delete: does(say("delete"), soon),
      },
    },
    play: [client.openAll(), said("headers"), client.reset, said("later")],
  }),
  on("finished-effective", "continuing, answering and closing a stream that has been served", {
    probe: {
      on: { proxy_on_delete: does(soon), proxy_on_tick: later(resume, respond, close) },
    },
    play: [client.openAll(), client.closed, said("later")],
  }),
];

/** Request bodies in chunks, trailers, and what is held back and let go from outside. */
export const requests: Table = [...bodies, ...trailers, ...ends];
