import { answers, type Case, client, does, said, type Table, upstream } from "../case.ts";
import { bytes, type Callback, call, hex, type Step, say, time } from "../probe.ts";
import { later, soon } from "./later.ts";

const [DOWNSTREAM, UPSTREAM] = [2, 3];
const read = (kind: number) => call("proxy_get_buffer_bytes", kind, 0, 99, bytes());
const write = (kind: number, start: number, size: number, value: string) =>
  call("proxy_set_buffer_bytes", kind, start, size, value);
const resume = (direction: number) => call("proxy_continue_stream", direction);
const close = (direction: number) => call("proxy_close_stream", direction);

const life = {
  proxy_on_context_create: does(say("create", 0, 1)),
  proxy_on_new_connection: does(say("new", 0)),
  proxy_on_downstream_data: does(say("downstream", 0, 1, 2)),
  proxy_on_upstream_data: does(say("upstream", 0, 1, 2)),
  proxy_on_downstream_connection_close: does(say("downstream closed", 0, 1)),
  proxy_on_upstream_connection_close: does(say("upstream closed", 0, 1)),
  proxy_on_done: answers(1, say("done", 0)),
  proxy_on_log: does(say("log", 0)),
  proxy_on_delete: does(say("delete", 0)),
};
const down = (returns: Callback["returns"], ...steps: Step[]) => ({
  proxy_on_downstream_data: answers(returns ?? 0, say("downstream", 1, 2), ...steps),
});
const up = (returns: Callback["returns"], ...steps: Step[]) => ({
  proxy_on_upstream_data: answers(returns ?? 0, say("upstream", 1, 2), ...steps),
});

const on = (
  id: string,
  title: string,
  { on: callbacks, ...rest }: Omit<Case, "id" | "title" | "probe"> & { on: Case["probe"]["on"] },
): Case => ({ id: `tcp.${id}`, title, isTcp: true, probe: { on: callbacks }, ...rest });

/** A question and its answer, and then the client ends. */
const exchange = [
  ...[client.open(), client.send("ask"), upstream.sees("ask")],
  ...[upstream.send("reply"), client.sees("reply")],
];
const ENDED = [...exchange, client.end, upstream.closed, upstream.end, client.closed];
const deleted = said("delete 2");
/** What follows once the client has been closed. */
const GONE = [client.end, upstream.closed, deleted];

/** TCP connections. */
export const tcp: Table = [
  on("client-ends", "a connection that the client ends", {
    on: life,
    play: [...ENDED, deleted],
  }),
  on("upstream-ends", "a connection that the upstream ends", {
    on: life,
    play: [...exchange, upstream.end, client.closed, client.end, upstream.closed, deleted],
  }),
  on("client-resets", "a connection that the client resets", {
    on: life,
    play: [...exchange, client.reset, upstream.closed, deleted],
  }),
  on("upstream-resets", "a connection that the upstream resets", {
    on: life,
    play: [...exchange, upstream.reset, client.closed, deleted],
  }),
  on("half-closed", "after its end the client is answered", {
    on: life,
    play: [
      ...[client.open(), client.send("ask"), upstream.sees("ask"), client.end, upstream.closed],
      ...[upstream.send("reply"), client.sees("reply"), upstream.end, client.closed, deleted],
    ],
  }),
  on("silent", "a connection on which nothing is said", {
    on: life,
    play: [client.open(), said("new 2"), client.end, upstream.closed, upstream.end, deleted],
  }),
  on("upstream-first", "the upstream speaks first", {
    on: life,
    play: [
      ...[client.open(), upstream.send("hello"), client.sees("hello")],
      ...[upstream.end, client.closed, client.end, upstream.closed, deleted],
    ],
  }),
  on("connections", "two connections have a context each", {
    on: {
      proxy_on_new_connection: does(say("new", 0)),
      proxy_on_delete: does(say("delete", 0)),
    },
    play: [
      ...[client.open(), said("new 2"), client.reset, said("delete 2"), upstream.closed],
      ...[client.open(), said("new 3"), client.reset, said("delete 3"), upstream.closed],
    ],
  }),
  on("read", "bytes are read on their way, and not once they are gone", {
    on: {
      ...down(0, read(DOWNSTREAM), read(UPSTREAM)),
      ...up(0, read(DOWNSTREAM), read(UPSTREAM)),
    },
    play: ENDED,
  }),
  on("write", "bytes are replaced on their way", {
    on: { ...down(0, write(DOWNSTREAM, 0, 99, "ASK")), ...up(0, write(UPSTREAM, 0, 99, "REPLY")) },
    play: [
      ...[client.open(), client.send("ask"), upstream.sees("ASK"), upstream.send("reply")],
      ...[client.sees("REPLY"), client.reset, upstream.closed],
    ],
  }),
  on("prepend", "bytes are set before and behind others", {
    on: { ...down(0, write(DOWNSTREAM, 0, 0, "<"), write(DOWNSTREAM, 99, 0, ">")) },
    play: [
      client.open(),
      client.send("ask"),
      upstream.sees("<ask>"),
      client.reset,
      upstream.closed,
    ],
  }),
  on("held", "bytes are held and go on with the next", {
    on: down([1, 0], read(DOWNSTREAM)),
    play: [
      ...[client.open(), client.send("one"), said("downstream 3 0")],
      ...[client.send("two"), upstream.sees("two"), client.reset, upstream.closed],
    ],
  }),
  on("held-later", "bytes that are held are let go from outside", {
    on: {
      ...down([1, 0], time(1, soon)),
      proxy_on_tick: later(read(DOWNSTREAM), resume(DOWNSTREAM)),
    },
    play: [
      ...[client.open(), client.send("one"), said("later")],
      ...[client.send("two"), upstream.sees("two"), client.reset, upstream.closed],
    ],
  }),
  on("held-at-once", "bytes are held and let go at once", {
    on: down([1, 0], resume(DOWNSTREAM)),
    play: [
      ...[client.open(), client.send("one"), said("continue_stream 0")],
      ...[client.send("two"), upstream.sees("two"), client.reset, upstream.closed],
    ],
  }),
  on("held-upstream", "an answer is held and goes on with the next", {
    on: up([1, 0], read(UPSTREAM)),
    play: [
      ...[client.open(), upstream.send("one"), said("upstream 3 0")],
      ...[upstream.send("two"), client.sees("two"), client.reset, upstream.closed],
    ],
  }),
  on("held-end", "an end is held", {
    on: { ...life, ...down([0, 1], time(2, soon)), proxy_on_tick: later(resume(DOWNSTREAM)) },
    play: [
      ...[client.open(), client.send("ask"), upstream.sees("ask"), client.end],
      ...[said("later"), upstream.closed, upstream.end, client.closed, deleted],
    ],
  }),
  on("held-new", "a new connection is held, and let go from outside", {
    on: {
      proxy_on_new_connection: answers(1, say("new"), soon),
      ...down(0),
      proxy_on_tick: later(resume(DOWNSTREAM)),
    },
    play: [
      ...[client.open(), client.send("ask"), said("later"), upstream.sees("ask")],
      ...[client.reset, upstream.closed],
    ],
  }),
  ...[DOWNSTREAM, UPSTREAM].flatMap((direction) => [
    on(`close-${direction}-new`, `direction ${direction} of a new connection is closed`, {
      on: { ...life, proxy_on_new_connection: does(say("new", 0), close(direction)) },
      play: [client.open(), client.closed, client.end, deleted],
    }),
    on(`close-${direction}-data`, `direction ${direction} is closed on bytes of the client's`, {
      on: { ...life, ...down(0, close(direction)) },
      play: [client.open(), client.send("ask"), client.closed, ...GONE],
    }),
    on(`close-${direction}-answer`, `direction ${direction} is closed on bytes of the upstream's`, {
      on: { ...life, ...up(0, close(direction)) },
      play: [client.open(), upstream.send("reply"), client.closed, ...GONE],
    }),
    on(`close-${direction}-later`, `direction ${direction} is closed from outside`, {
      on: { ...life, ...down(0, soon), proxy_on_tick: later(close(direction)) },
      play: [
        ...[client.open(), client.send("ask"), upstream.sees("ask")],
        ...[client.closed, ...GONE],
      ],
    }),
  ]),
  on("http-calls", "what belongs to HTTP", {
    on: {
      ...down(
        0,
        close(0),
        close(1),
        call("proxy_continue_stream", 0),
        call("proxy_get_header_map_value", 0, ":method", bytes()),
        call("proxy_get_header_map_pairs", 0, hex),
        call("proxy_add_header_map_value", 0, "a", "b"),
        call("proxy_get_buffer_bytes", 0, 0, 9, bytes()),
      ),
    },
    play: [client.open(), client.send("ask"), upstream.sees("ask"), client.reset, upstream.closed],
  }),
  on("respond", "a response of HTTP on TCP", {
    on: {
      ...down(
        0,
        call("proxy_send_local_response", 403, "why", "no", new Uint8Array(), -1),
        say("end"),
      ),
    },
    play: [
      client.open(),
      client.send("ask"),
      said("end"),
      upstream.sees("ask"),
      client.reset,
      upstream.closed,
    ],
  }),
  on("trap-new", "a trap on a new connection", {
    on: { ...life, proxy_on_new_connection: does(say("new"), { trap: true }) },
    play: [client.open(), client.closed, client.open(), client.closed],
  }),
  on("trap-data", "a trap on bytes", {
    on: { ...life, proxy_on_downstream_data: does(say("data"), { trap: true }) },
    play: [
      ...[client.open(), client.send("ask"), client.closed, upstream.closed],
      ...[client.open(), client.closed],
    ],
  }),
  on("properties", "properties of a connection", {
    on: down(
      0,
      ...[
        ["source", "address"],
        ["connection", "id"],
        ["destination", "port"],
      ].map((path) => call("proxy_get_property", path.join("\0"), { out: "length" })),
      call("proxy_get_property", "xds\0cluster_name", bytes()),
      call("proxy_get_property", "connection\0mtls", hex),
      call("proxy_get_property", "request\0path", bytes()),
      call("proxy_set_property", "mine", "value"),
      call("proxy_get_property", "mine", bytes()),
    ),
    play: [client.open(), client.send("ask"), upstream.sees("ask"), client.reset, upstream.closed],
  }),
];
