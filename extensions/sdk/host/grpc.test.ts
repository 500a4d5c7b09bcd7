import { createHost, type GrpcAnswer, type GrpcRequest } from "@weft/sdk/host";
import { expect, test } from "vitest";
import {
  assembleProbe,
  bytes,
  call,
  type Step,
  say,
  use,
  word,
} from "../../../test/conformance/proxy-wasm/probe.ts";

const [INITIAL_METADATA, TRAILING_METADATA, GRPC_MESSAGE] = [4, 5, 5];
const ID = use("id");

const message = call("proxy_get_buffer_bytes", GRPC_MESSAGE, 0, 100, bytes());
const metadata = (kind: number) => call("proxy_get_header_map_value", kind, "x-m", bytes());
const status = call("proxy_get_status", word(), bytes());

const ask = (timeoutMs = 0): Step =>
  call("proxy_grpc_call", "backend", "pkg.Echo", "Say", "", "ping", timeoutMs, word("id"));
const open = call("proxy_grpc_stream", "backend", "pkg.Echo", "Chat", "", word("id"));
const send = (text: string, endOfStream = 0) => call("proxy_grpc_send", ID, text, endOfStream);

interface Script {
  readonly onConfigure: readonly Step[];
  readonly answer: (request: GrpcRequest) => GrpcAnswer;
  /** What the plugin does once a message has come. */
  readonly onReceive?: readonly Step[];
}

/** Runs a plugin that makes calls while it is configured, and says all it is told about them. */
function run({ onConfigure, answer, onReceive = [] }: Script) {
  const received: GrpcRequest[] = [];
  const probe = assembleProbe({
    on: {
      proxy_on_configure: { steps: onConfigure, returns: 1 },
      proxy_on_grpc_receive_initial_metadata: {
        steps: [say("initial", 1, 2), metadata(INITIAL_METADATA)],
      },
      proxy_on_grpc_receive: { steps: [say("message", 1, 2), message, ...onReceive] },
      proxy_on_grpc_receive_trailing_metadata: {
        steps: [say("trailing", 1, 2), metadata(TRAILING_METADATA)],
      },
      proxy_on_grpc_close: { steps: [say("close", 1, 2), status] },
    },
  });
  const host = createHost(probe);
  host.upstream("backend").onGrpc((request) => {
    received.push(request);
    return answer(request);
  });
  const root = host.start("");
  let told = 0;
  /** What it has said since it was asked last. */
  const lines = () => {
    const fresh = host.logs.slice(told).map((line) => line.message);
    told += fresh.length;
    return fresh;
  };
  return { host, root, received, lines };
}

test("a call sends its message and ends with the answer's", () => {
  const { host, received, lines } = run({
    onConfigure: [ask()],
    answer: ({ message: asked }) => ({ messages: [`${Buffer.from(asked)} pong`] }),
  });
  expect(received).toEqual([
    {
      ...{ service: "pkg.Echo", method: "Say", metadata: [] },
      ...{ message: new TextEncoder().encode("ping"), endOfStream: true },
    },
  ]);
  expect(lines()).toEqual(["grpc_call 0 5"]);
  host.advance(0);
  expect(lines()).toEqual(["message 5 9", "get_buffer_bytes 0 [ping pong]"]);
});

test("a call that fails ends with its status and no message", () => {
  const { host, lines } = run({
    onConfigure: [ask()],
    answer: () => ({ status: 7, statusMessage: "not yours", messages: ["never seen"] }),
  });
  host.advance(0);
  expect(lines()).toEqual([
    "grpc_call 0 5",
    "close 5 7",
    "get_status 0 7 [not yours{via_upstream}]",
  ]);
});

test("a cluster without a script answers that it is unavailable", () => {
  const host = createHost(
    assembleProbe({
      on: {
        proxy_on_configure: { steps: [ask()], returns: 1 },
        proxy_on_grpc_close: { steps: [say("close", 1, 2)] },
      },
    }),
  );
  host.upstream("backend");
  host.start("");
  host.advance(0);
  expect(host.logs.map((line) => line.message)).toEqual(["grpc_call 0 5", "close 5 14"]);
});

const LATE = "get_status 0 14 [upstream request timeout{response_timeout}]";

test.each([
  [20, ["grpc_call 0 5"], ["close 5 14", LATE]],
  [30, ["grpc_call 0 5"], ["message 5 4", "get_buffer_bytes 0 [late]"]],
  [0, ["grpc_call 0 5"], ["message 5 4", "get_buffer_bytes 0 [late]"]],
])(
  "a call that may take %i ms gets an answer of 30 ms or its deadline",
  (timeoutMs, early, end) => {
    const { host, lines } = run({
      onConfigure: [ask(timeoutMs)],
      answer: () => ({ messages: ["late"], delayMs: 30 }),
    });
    host.advance(19);
    expect(lines()).toEqual(early);
    host.advance(11);
    expect(lines()).toEqual(end);
  },
);

test("a call that is cancelled hears nothing more, and is cancelled once", () => {
  const { host, lines } = run({
    onConfigure: [ask(), call("proxy_grpc_cancel", ID), call("proxy_grpc_cancel", ID)],
    answer: () => ({ messages: ["never seen"] }),
  });
  host.advance(1_000);
  expect(lines()).toEqual(["grpc_call 0 5", "grpc_cancel 0", "grpc_cancel 1"]);
});

test("a stream carries messages both ways until the server gives its status", () => {
  const { host, received, lines } = run({
    onConfigure: [open, send("one"), send("two", 1)],
    answer: ({ message: asked, endOfStream }) => ({
      initialMetadata: [["x-m", "first"]],
      messages: [`echo ${Buffer.from(asked)}`, "and more"],
      ...(endOfStream && { trailingMetadata: [["x-m", "last"]], status: 0, statusMessage: "bye" }),
    }),
  });
  host.advance(0);
  expect(received.map(({ message: asked, ...rest }) => [`${Buffer.from(asked)}`, rest])).toEqual([
    ["one", { service: "pkg.Echo", method: "Chat", metadata: [], endOfStream: false }],
    ["two", { service: "pkg.Echo", method: "Chat", metadata: [], endOfStream: true }],
  ]);
  // Beside its own the server's metadata has what HTTP/2 and gRPC carry it in.
  const said = (text: string) => [
    ...[`message 6 ${text.length}`, `get_buffer_bytes 0 [${text}]`],
    ...["message 6 8", "get_buffer_bytes 0 [and more]"],
  ];
  expect(lines()).toEqual([
    ...["grpc_stream 0 6", "grpc_send 0", "grpc_send 0"],
    ...["initial 6 4", "get_header_map_value 0 [first]"],
    ...[...said("echo one"), ...said("echo two")],
    ...["trailing 6 3", "get_header_map_value 0 [last]"],
    ...["close 6 0", "get_status 0 0 [bye{via_upstream}]"],
  ]);
});

test("a stream that the plugin cancels on a message hears none of the rest", () => {
  const { host, lines } = run({
    onConfigure: [open, send("one")],
    answer: () => ({ messages: ["a", "b"], trailingMetadata: [], status: 0 }),
    onReceive: [call("proxy_grpc_cancel", ID), send("too late")],
  });
  host.advance(0);
  expect(lines()).toEqual([
    ...["grpc_stream 0 6", "grpc_send 0", "initial 6 2", "get_header_map_value 1 []"],
    ...["message 6 1", "get_buffer_bytes 0 [a]", "grpc_cancel 0", "grpc_send 1"],
  ]);
});

test("a stream that the plugin closes is ended on its side, which the server is told", () => {
  const { host, received, lines } = run({
    onConfigure: [open, send("one"), call("proxy_grpc_close", ID), send("not sent")],
    answer: ({ isEnd }) => (isEnd ? { status: 0 } : { messages: ["a"] }),
  });
  host.advance(0);
  expect([received.map(({ endOfStream, isEnd }) => [endOfStream, isEnd]), lines()]).toEqual([
    [
      [false, undefined],
      [true, true],
    ],
    [
      ...["grpc_stream 0 6", "grpc_send 0", "grpc_close 0", "grpc_send 0"],
      ...["initial 6 3", "get_header_map_value 1 []", "message 6 1", "get_buffer_bytes 0 [a]"],
      ...["trailing 6 2", "get_header_map_value 1 []", "close 6 0"],
      "get_status 0 0 [via_upstream]",
    ],
  ]);
});

test("only a stream sends, and ids of HTTP callouts are none of gRPC's", () => {
  const { lines } = run({
    onConfigure: [ask(), send("more"), call("proxy_grpc_close", 4), call("proxy_grpc_cancel", 7)],
    answer: () => ({}),
  });
  expect(lines()).toEqual(["grpc_call 0 5", "grpc_send 2", "grpc_close 2", "grpc_cancel 2"]);
});

test("answers that come after the root has ended are dropped", () => {
  const { host, root, lines } = run({
    onConfigure: [ask(), open, send("one")],
    answer: () => ({ messages: ["never seen"], status: 0, delayMs: 10 }),
  });
  if (root !== null) host.stop(root);
  host.advance(10);
  expect(lines()).toEqual(["grpc_call 0 5", "grpc_stream 0 6", "grpc_send 0"]);
});
