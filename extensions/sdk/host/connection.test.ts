import { type Connection, createHost } from "@weft/sdk/host";
import { expect, test } from "vitest";
import {
  assembleProbe,
  bytes,
  type Callback,
  call,
  hex,
  say,
} from "../../../test/conformance/proxy-wasm/probe.ts";

const [DOWNSTREAM, UPSTREAM] = [2, 3];
const PAUSE = 1;

/** A connection of a started plugin; its context is 2. */
function connect(on: Readonly<Record<string, Callback>>) {
  const host = createHost(assembleProbe({ on }));
  const connection = host.openConnection(host.start("") ?? 0, { source: { port: 4_000n } });
  return { host, connection, lines: () => host.logs.map(({ message }) => message) };
}

const flowed = ({ upstream, downstream, isPaused, isReset }: Connection) => ({
  ...{ upstream: Buffer.from(upstream).toString(), isPaused },
  ...{ downstream: Buffer.from(downstream).toString(), isReset },
});

test("a connection tells its whole life, in order", () => {
  const { connection, lines } = connect({
    proxy_on_context_create: { steps: [say("create", 0, 1)] },
    proxy_on_new_connection: { steps: [say("new", 0)] },
    proxy_on_downstream_data: { steps: [say("downstream", 0, 1, 2)] },
    proxy_on_upstream_data: { steps: [say("upstream", 0, 1, 2)] },
    proxy_on_downstream_connection_close: { steps: [say("downstream closed", 0, 1)] },
    proxy_on_upstream_connection_close: { steps: [say("upstream closed", 0, 1)] },
    proxy_on_done: { steps: [say("done", 0)], returns: 1 },
    proxy_on_log: { steps: [say("log", 0)] },
    proxy_on_delete: { steps: [say("delete", 0)] },
  });
  connection.receive("ask");
  connection.answer("reply", true);
  connection.receive("", true);
  const both = { upstream: "ask", downstream: "reply" };
  expect(flowed(connection)).toEqual({ ...both, isPaused: false, isReset: false });
  connection.close({ downstream: 1 });
  expect(lines()).toEqual([
    ...["create 1 0", "create 2 1", "new 2", "downstream 2 3 0"],
    ...["upstream 2 5 1", "upstream closed 2 0", "downstream 2 0 1"],
    ...["downstream closed 2 1", "done 2", "log 2", "delete 2"],
  ]);
});

test("bytes are read and replaced on their way, in both directions", () => {
  const { connection, lines } = connect({
    proxy_on_downstream_data: {
      steps: [
        call("proxy_get_buffer_bytes", DOWNSTREAM, 0, 9, bytes()),
        call("proxy_set_buffer_bytes", DOWNSTREAM, 0, 9, "ASK"),
      ],
    },
    proxy_on_upstream_data: { steps: [call("proxy_set_buffer_bytes", UPSTREAM, 0, 0, "> ")] },
  });
  connection.receive("ask");
  connection.answer("reply");
  expect([flowed(connection), lines()]).toEqual([
    { upstream: "ASK", downstream: "> reply", isPaused: false, isReset: false },
    ["get_buffer_bytes 0 [ask]", "set_buffer_bytes 0", "set_buffer_bytes 0"],
  ]);
});

test("bytes that are held back gather until the connection is resumed from outside", () => {
  const { host, connection, lines } = connect({
    proxy_on_configure: {
      steps: [call("proxy_set_tick_period_milliseconds", 100)],
      returns: 1,
    },
    proxy_on_downstream_data: { steps: [say("held", 1)], returns: PAUSE },
    proxy_on_tick: {
      steps: [call("proxy_set_effective_context", 2), call("proxy_continue_stream", DOWNSTREAM)],
    },
  });
  connection.receive("one");
  connection.receive("two");
  const held = flowed(connection);
  host.advance(100);
  const none = { upstream: "", downstream: "", isPaused: true, isReset: false };
  expect([held, flowed(connection), lines()]).toEqual([
    none,
    { ...none, upstream: "onetwo", isPaused: false },
    [
      ...["set_tick_period_milliseconds 0", "held 3", "held 6"],
      ...["set_effective_context 0", "continue_stream 0"],
    ],
  ]);
});

test("a plugin may hold a new connection back", () => {
  const { connection } = connect({ proxy_on_new_connection: { steps: [], returns: PAUSE } });
  expect(connection.isPaused).toBe(true);
});

test("a connection that the plugin closes passes neither these bytes on nor later ones", () => {
  const { connection, lines } = connect({
    proxy_on_downstream_data: { steps: [call("proxy_close_stream", DOWNSTREAM)] },
    proxy_on_upstream_data: { steps: [say("never")] },
  });
  connection.receive("bad");
  connection.answer("too late");
  expect([flowed(connection), lines()]).toEqual([
    { upstream: "", downstream: "", isPaused: false, isReset: true },
    ["close_stream 0"],
  ]);
});

test("a connection has no request to close and answers no response", () => {
  const { connection } = connect({
    proxy_on_downstream_data: {
      steps: [
        call("proxy_close_stream", 0),
        call("proxy_close_stream", 1),
        call("proxy_send_local_response", 403, "", "", "", -1),
      ],
    },
  });
  connection.receive("ask");
  const through = { upstream: "ask", downstream: "", isPaused: false, isReset: false };
  expect(flowed(connection)).toEqual(through);
});

test("a connection has its own properties", () => {
  const { connection, lines } = connect({
    proxy_on_downstream_data: {
      steps: [call("proxy_get_property", "source\0port", hex)],
    },
  });
  connection.receive("ask");
  // Eight bytes, the lowest first.
  expect(lines()).toEqual(["get_property 0 [a00f000000000000]"]);
});
