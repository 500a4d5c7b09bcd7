import { encodePairs } from "@weft/sdk/host";
import { answers, type Case, client, does, said, type Table } from "../case.ts";
import { bytes, call, length, parameter, type Step, say, time, use, word } from "../probe.ts";
import { laterFor, soon } from "./later.ts";

const NONE = new Uint8Array();
/** Late enough for a client to be gone by then. */
const LATE_MS = 300;
const [INITIAL, TRAILING, MESSAGE] = [4, 5, 5];

const ask = (method: string, { cluster = "grpc", message = "ping", timeoutMs = 5_000 } = {}) =>
  call(
    "proxy_grpc_call",
    ...[cluster, "test.Echo", method, encodePairs([["x-t-a", "one"]]), message, timeoutMs],
    word("id"),
  );
const open = (method: string, cluster = "grpc") =>
  call("proxy_grpc_stream", cluster, "test.Echo", method, NONE, word("id"));
const send = (message: string, ends = 0) => call("proxy_grpc_send", use("id"), message, ends);
const cancel = call("proxy_grpc_cancel", use("id"));
const close = call("proxy_grpc_close", use("id"));
const status = call("proxy_get_status", word(), bytes());
const metadata = (kind: number, name = "x-m") =>
  call("proxy_get_header_map_value", kind, name, bytes());

/** Says all that is told about calls, and what can be read meanwhile. */
const tells = (...onMessage: Step[]) => ({
  proxy_on_grpc_receive_initial_metadata: does(
    say("initial", 0, 1, 2),
    metadata(INITIAL),
    metadata(INITIAL, ":status"),
    metadata(INITIAL, "content-type"),
  ),
  proxy_on_grpc_receive: does(
    say("message", 0, 1, 2),
    call("proxy_get_buffer_bytes", MESSAGE, 0, 99, bytes()),
    ...onMessage,
  ),
  proxy_on_grpc_receive_trailing_metadata: does(
    say("trailing", 0, 1, 2),
    metadata(TRAILING),
    metadata(TRAILING, "grpc-status"),
  ),
  proxy_on_grpc_close: does(say("close", 0, 1, 2), status, say("closed")),
});

const on = (
  id: string,
  title: string,
  { steps, onMessage = [], until }: { steps: Step[]; onMessage?: Step[]; until?: string },
): Case => ({
  id: `grpc.${id}`,
  title,
  probe: { on: { proxy_on_request_headers: does(...steps), ...tells(...onMessage) } },
  play: [client.openAll(), client.closed, ...(until === undefined ? [] : [said(until)])],
});

/** Shows that nothing comes any more: the end of a case whose call is to stay silent. */
const quiet = (id: string, title: string, steps: Step[]): Case => ({
  id: `grpc.${id}`,
  title,
  probe: {
    on: { proxy_on_request_headers: does(...steps, soon), ...tells(), proxy_on_tick: laterFor(1) },
  },
  play: [client.openAll(), client.closed, said("later")],
});

/** Calls and streams of gRPC. */
export const grpc: Table = [
  on("call", "a call is answered", {
    steps: [ask("Say")],
    until: "get_buffer_bytes 0 [echo ping]",
  }),
  on("call-metadata", "a call brings its metadata along", {
    steps: [ask("Metadata")],
    until: "get_buffer_bytes 0 [x-t-a one]",
  }),
  on("call-empty", "a call is answered with an empty message", {
    steps: [ask("Metadata", { message: "" })],
    until: "get_buffer_bytes 0 [x-t-a one]",
  }),
  on("call-status", "a call is refused", { steps: [ask("Fail")], until: "closed" }),
  on("call-status-late", "a call is answered, and refused then", {
    steps: [ask("FailLate")],
    until: "closed",
  }),
  on("call-unknown", "a call of a method that is not there", {
    steps: [ask("None")],
    until: "closed",
  }),
  on("call-twice", "a call is answered with two messages", {
    steps: [ask("Twice")],
    until: "get_buffer_bytes 0 [and more]",
  }),
  on("call-nothing", "a call ends well without a message", {
    steps: [ask("Nothing")],
    until: "closed",
  }),
  on("call-drop", "a call is reset", { steps: [ask("Drop")], until: "closed" }),
  on("call-timeout", "a call that nobody answers in time", {
    steps: [ask("Silence", { timeoutMs: 30 })],
    until: "closed",
  }),
  quiet("call-cancel", "a call is cancelled, twice", [ask("Say"), cancel, cancel]),
  quiet("call-close", "a call is closed, and then cancelled", [ask("Say"), close, cancel]),
  quiet("call-send", "a call sends no more", [ask("Silence"), send("more"), close]),
  on("call-cancel-answered", "a call that has been answered is cancelled", {
    steps: [ask("Say")],
    onMessage: [cancel, close, say("end")],
    until: "end",
  }),
  on("calls", "two calls at once, their answers in order", {
    steps: [ask("Say", { message: "one" }), ask("Say", { message: "two" })],
    until: "get_buffer_bytes 0 [echo two]",
  }),
  on("stream", "a stream carries messages until its end", {
    steps: [open("Say"), send("one"), send("two", 1)],
    until: "closed",
  }),
  on("stream-answers", "a stream answers what it is answered", {
    steps: [open("Say"), send("one")],
    onMessage: [time(1, send("two")), time(2, send("three", 1))],
    until: "closed",
  }),
  on("stream-fail", "a stream is refused", { steps: [open("Fail"), send("one")], until: "closed" }),
  on("stream-fail-late", "a stream is refused at its end", {
    steps: [open("FailLate"), send("one", 1)],
    until: "closed",
  }),
  on("stream-drop", "a stream is reset", { steps: [open("Drop"), send("one")], until: "closed" }),
  on("stream-nothing", "a stream ends without a message", {
    steps: [open("Nothing"), send("one", 1)],
    until: "closed",
  }),
  on("stream-two", "a message is answered with two", {
    steps: [open("Twice"), send("one", 1)],
    until: "closed",
  }),
  on("stream-empty", "a stream is ended with an empty message", {
    steps: [open("Say"), send("", 1)],
    until: "closed",
  }),
  quiet("stream-cancel", "a stream is cancelled, twice", [
    ...[open("Say"), send("one"), cancel, cancel],
  ]),
  on("stream-close", "a stream is closed, and then sent to", {
    steps: [open("Say"), send("one"), close, send("two"), close],
    until: "closed",
  }),
  quiet("stream-end-twice", "a stream is sent to after its end", [
    ...[open("Silence"), send("one", 1), send("two")],
  ]),
  quiet("stream-cancel-message", "a stream is cancelled before it sends", [
    ...[open("Say"), cancel, send("one")],
  ]),
  on("stream-close-receive", "a stream is closed by a message of its own", {
    steps: [open("Twice"), send("one", 1)],
    onMessage: [call("proxy_grpc_close", parameter(1)), send("late"), soon],
    until: "set_tick_period_milliseconds 0",
  }),
  on("stream-cancel-receive", "a stream is cancelled by a message of its own", {
    steps: [open("Twice"), send("one", 1)],
    onMessage: [call("proxy_grpc_cancel", parameter(1)), send("late"), soon],
    until: "set_tick_period_milliseconds 0",
  }),
  on("stream-send-closed", "a stream that the server has ended is sent to", {
    steps: [open("Fail"), send("one")],
    until: "closed",
  }),
  on("ids", "ids of calls, streams and callouts", {
    steps: [...[ask("Silence"), close, open("Silence"), close], call("proxy_grpc_send", 4, "x", 0)],
  }),
  on("metadata-absent", "the maps of gRPC, where there is no call", {
    steps: [metadata(INITIAL), metadata(TRAILING), status],
  }),
  on("service-serialized", "a cluster as a service of Envoy's", {
    // GrpcService { envoy_grpc { cluster_name: "grpc" } }
    steps: [ask("Say", { cluster: "\u000a\u0006\u000a\u0004grpc" })],
    until: "get_buffer_bytes 0 [echo ping]",
  }),
  {
    id: "grpc.resume",
    title: "a call's answer resumes the stream it was made for",
    probe: {
      on: {
        proxy_on_request_headers: answers(1, ask("Say")),
        proxy_on_grpc_receive: does(
          say("message", 0, 2),
          call("proxy_set_effective_context", 2),
          call("proxy_get_header_map_value", 0, ":method", bytes()),
          call("proxy_continue_stream", 0),
        ),
      },
    },
  },
  {
    id: "grpc.gone",
    title: "an answer after the stream that asked is gone",
    probe: {
      on: {
        proxy_on_request_headers: answers(1, ask("Silence", { timeoutMs: LATE_MS }), say("asked")),
        proxy_on_delete: does(say("delete", 0)),
        proxy_on_grpc_close: does(
          say("close", 0, 1),
          call("proxy_set_effective_context", 2),
          call("proxy_continue_stream", 0),
          say("end"),
        ),
      },
    },
    play: [client.openAll(), said("asked"), client.reset, said("end")],
  },
  {
    id: "grpc.timeout-status",
    title: "a message's length is told, and its bytes can be read twice",
    probe: {
      on: {
        proxy_on_request_headers: does(ask("Say")),
        proxy_on_grpc_receive: does(
          call("proxy_get_buffer_status", MESSAGE, word(), word()),
          call("proxy_get_buffer_bytes", MESSAGE, 5, 2, bytes()),
          call("proxy_get_buffer_bytes", MESSAGE, 0, 99, length),
          call("proxy_set_buffer_bytes", MESSAGE, 0, 0, "x"),
          say("end"),
        ),
      },
    },
    play: [client.openAll(), client.closed, said("end")],
  },
];
