import { createHost, createProxy, type LogLine } from "@weft/sdk/host";
import { expect, test } from "vitest";
import {
  assembleProbe,
  bytes,
  call,
  say,
  use,
  word,
} from "../../../test/conformance/proxy-wasm/probe.ts";
import { createWorld } from "./world.ts";

const messages = (logs: readonly LogLine[]) => logs.map(({ message }) => message);
const dequeue = call("proxy_dequeue_shared_queue", use("queue"), bytes());

/** Registers a queue, and empties it when told that something is there. */
const receiver = {
  proxy_on_configure: {
    steps: [call("proxy_register_shared_queue", "jobs", word("queue"))],
    returns: 1,
  },
  proxy_on_queue_ready: { steps: [say("ready", 0, 1), dequeue] },
};

/** Finds the queue of another VM by name on each request, and puts a job there. */
const sender = {
  proxy_on_request_headers: {
    steps: [
      call("proxy_resolve_shared_queue", "receiver", "jobs", word("found")),
      call("proxy_enqueue_shared_queue", use("found"), "job"),
    ],
  },
};

test("a value that one VM enqueues is delivered to the root of another", () => {
  const world = createWorld();
  const receiving = createHost(assembleProbe({ on: receiver }), { world, vmId: "receiver" });
  const sending = createHost(assembleProbe({ on: sender }), { world, vmId: "sender" });
  receiving.start("");
  const root = sending.start("") ?? 0;
  sending.openStream(root).requestHeaders([]);
  const before = messages(world.logs);
  world.clock.advance(0);
  expect([before, messages(world.logs).slice(before.length)]).toEqual([
    ["register_shared_queue 0 1", "resolve_shared_queue 0 1", "enqueue_shared_queue 0"],
    ["ready 1 1", "dequeue_shared_queue 0 [job]"],
  ]);
});

test("each value is told of; who finds the queue emptied already is told so", () => {
  const host = createHost(
    assembleProbe({
      on: {
        ...receiver,
        proxy_on_queue_ready: { steps: [dequeue, dequeue] },
        proxy_on_request_headers: {
          steps: [
            call("proxy_enqueue_shared_queue", use("queue"), "one"),
            call("proxy_enqueue_shared_queue", use("queue"), "two"),
          ],
        },
      },
    }),
  );
  host.openStream(host.start("") ?? 0).requestHeaders([]);
  const before = host.logs.length;
  host.advance(0);
  expect(messages(host.logs).slice(before)).toEqual([
    ...["dequeue_shared_queue 0 [one]", "dequeue_shared_queue 0 [two]"],
    ...["dequeue_shared_queue 7 []", "dequeue_shared_queue 7 []"],
  ]);
});

test("of a proxy's workers the one that registered last is told, once", () => {
  const proxy = createProxy(
    assembleProbe({
      on: {
        ...receiver,
        proxy_on_request_headers: {
          steps: [call("proxy_enqueue_shared_queue", use("queue"), "job")],
        },
      },
    }),
  );
  proxy.serve(0, (stream) => {
    stream.requestHeaders([]);
  });
  proxy.world.clock.advance(0);
  expect([
    messages(proxy.world.logs).slice(-3),
    proxy.workers.map(({ callCounts }) => callCounts.get("proxy_dequeue_shared_queue") ?? 0),
  ]).toEqual([
    ["enqueue_shared_queue 0", "ready 1 1", "dequeue_shared_queue 0 [job]"],
    [0, 1],
  ]);
});

test("a root that has ended is told of no value, and the value waits for the next", () => {
  const world = createWorld();
  const options = { world, vmId: "receiver" };
  const first = createHost(assembleProbe({ on: receiver }), options);
  first.stop(first.start("") ?? 0);
  const sending = createHost(assembleProbe({ on: sender }), { world, vmId: "sender" });
  sending.openStream(sending.start("") ?? 0).requestHeaders([]);
  world.clock.advance(0);
  const before = world.logs.length;
  const register = receiver.proxy_on_configure.steps;
  const next = createHost(
    assembleProbe({ on: { proxy_on_configure: { steps: [...register, dequeue], returns: 1 } } }),
    options,
  );
  next.start("");
  expect(messages(world.logs)).toEqual([
    ...["register_shared_queue 0 1", "resolve_shared_queue 0 1", "enqueue_shared_queue 0"],
    ...["register_shared_queue 0 1", "dequeue_shared_queue 0 [job]"],
  ]);
  expect(before).toBe(3);
});
