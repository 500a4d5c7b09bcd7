import { createHost, type LogLine, Trap } from "@weft/sdk/host";
import { expect, test } from "vitest";
import {
  assembleProbe,
  call,
  type Step,
  say,
  trap,
} from "../../../test/conformance/proxy-wasm/probe.ts";

const period = (ms: number) => call("proxy_set_tick_period_milliseconds", ms);
const messages = (logs: readonly LogLine[]) => logs.map(({ message }) => message);

/** A started plugin that asks for ticks while it is configured. */
function ticking(ms: number, onTick: readonly Step[], isDone = 1) {
  const host = createHost(
    assembleProbe({
      on: {
        proxy_on_configure: { steps: [period(ms)], returns: 1 },
        proxy_on_tick: { steps: onTick },
        proxy_on_done: { steps: [say("done")], returns: isDone },
      },
    }),
  );
  const root = host.start("") ?? 0;
  return { host, root };
}

const SET = "set_tick_period_milliseconds 0";

test("ticks come at their period, for the root that asked", () => {
  const { host } = ticking(100, [say("tick", 0)]);
  const told = [99, 1, 250].map((ms) => {
    host.advance(ms);
    return messages(host.logs).length - 1;
  });
  expect([told, messages(host.logs)]).toEqual([
    [0, 1, 3],
    [SET, "tick 1", "tick 1", "tick 1"],
  ]);
});

test("two roots tick by themselves, in the order of time", () => {
  const { host } = ticking(100, [say("tick", 0)]);
  host.advance(50);
  host.start("");
  host.advance(200);
  expect(messages(host.logs)).toEqual([SET, SET, "tick 1", "tick 2", "tick 1", "tick 2"]);
});

test("a period that is set again begins then, and 0 ends the ticks", () => {
  const slower = ticking(100, [say("tick"), period(1_000)]);
  slower.host.advance(1_099);
  const once = ticking(100, [say("tick"), period(0)]);
  once.host.advance(10_000);
  const told = [SET, "tick", SET];
  expect([messages(slower.host.logs), messages(once.host.logs)]).toEqual([told, told]);
});

test("a root that has ended ticks no more", () => {
  const { host, root } = ticking(100, [say("tick")]);
  host.stop(root);
  host.advance(1_000);
  expect(messages(host.logs)).toEqual([SET, "done"]);
});

test("a root that puts its end off ticks until it tells it, or until its VM ends", () => {
  const until = ticking(100, [say("tick"), call("proxy_done")], 0);
  until.host.stop(until.root);
  until.host.advance(1_000);
  const closed = ticking(100, [say("tick")], 0);
  closed.host.stop(closed.root);
  closed.host.close();
  closed.host.advance(1_000);
  expect([messages(until.host.logs), messages(closed.host.logs)]).toEqual([
    [SET, "done", "tick", "done 0"],
    [SET, "done"],
  ]);
});

test("a trap on a tick is thrown where time passes, and the dead VM ticks no more", () => {
  const { host } = ticking(1, [say("tick"), trap]);
  expect(() => host.advance(10)).toThrow(Trap);
  // More ticks than may fall due at once.
  host.advance(200_000);
  expect([host.hasFailed, messages(host.logs)]).toEqual([true, [SET, "tick"]]);
});

test("however much time passes at once, ticks of every millisecond come", () => {
  const { host } = ticking(1, [call("proxy_increment_metric", 4, 1n)]);
  host.inject({ call: "proxy_increment_metric", status: 0 });
  host.advance(100_002);
  expect(host.callCounts.get("proxy_increment_metric")).toBe(100_002);
});

test("an exchange without end within no time is an error", () => {
  const host = createHost(
    assembleProbe({
      on: {
        proxy_on_configure: {
          steps: [
            call("proxy_register_shared_queue", "q", 0x2_1000),
            call("proxy_enqueue_shared_queue", 1, "v"),
          ],
          returns: 1,
        },
        proxy_on_queue_ready: { steps: [call("proxy_enqueue_shared_queue", 1, "v")] },
      },
    }),
    { logLevel: 5 },
  );
  host.start("");
  expect(() => host.advance(1)).toThrow("more than 100000 timers fell due at once");
});
