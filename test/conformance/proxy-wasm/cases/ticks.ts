import { answers, ask, type Case, client, does, said, type Table } from "../case.ts";
import { call, type Step, say, time, use, word } from "../probe.ts";

const period = (ms: number) => call("proxy_set_tick_period_milliseconds", ms);
const OFF = period(0);

const onConfigure = (...steps: Step[]) => answers(1, ...steps);
const on = (id: string, title: string, rest: Omit<Case, "id" | "title">): Case => {
  return { id: `ticks.${id}`, title, ...rest };
};

/** Ticks: of a root, however it asks for them, until it asks for none. */
export const ticks: Table = [
  on("configure", "ticks that are asked for while it is configured", {
    probe: {
      on: {
        proxy_on_configure: onConfigure(period(20)),
        proxy_on_tick: does(say("tick", 0), time(3, OFF, say("end"))),
      },
    },
    play: [said("end"), ...ask],
  }),
  on("stream", "ticks that a stream asks for come to its root", {
    probe: {
      on: {
        proxy_on_request_headers: does(say("request", 0), period(20)),
        proxy_on_tick: does(say("tick", 0), OFF),
      },
    },
    play: [...ask, said("set_tick_period_milliseconds 0", 2)],
  }),
  on("off-in-tick", "ticks are taken back by a tick", {
    probe: {
      on: {
        proxy_on_configure: onConfigure(period(10)),
        proxy_on_tick: does(say("tick"), OFF),
        // Ticks that are asked for again show that none came meanwhile.
        proxy_on_request_headers: does(say("request"), period(30)),
      },
    },
    play: [said("tick"), ...ask, said("tick", 2)],
  }),
  on("changed", "a period is changed by a tick", {
    probe: {
      on: {
        proxy_on_configure: onConfigure(period(10)),
        proxy_on_tick: does(say("tick"), time(1, period(30)), time(2, OFF, say("end"))),
      },
    },
    play: [said("end"), ...ask],
  }),
  on("off-at-once", "ticks that are taken back at once never come", {
    probe: {
      on: {
        proxy_on_configure: onConfigure(period(1), OFF),
        proxy_on_tick: does(say("tick")),
      },
    },
    play: [...ask, ...ask],
  }),
  on("set-twice", "of two periods the second counts", {
    probe: {
      on: {
        proxy_on_configure: onConfigure(period(1), period(60_000)),
        proxy_on_tick: does(say("tick")),
      },
    },
    play: [...ask, ...ask],
  }),
  on("maps", "a tick has no stream", {
    probe: {
      on: {
        proxy_on_configure: onConfigure(period(10)),
        proxy_on_tick: does(
          OFF,
          call("proxy_get_header_map_value", 0, ":method", word(), word()),
          call("proxy_get_header_map_pairs", 0, word(), word()),
          call("proxy_get_buffer_status", 0, word(), word()),
          call("proxy_continue_stream", 0),
          call("proxy_continue_stream", 1),
          call("proxy_close_stream", 0),
          call("proxy_done"),
          say("end"),
        ),
      },
    },
    play: [said("end"), ...ask],
  }),
  on("metrics", "metrics from ticks", {
    probe: {
      on: {
        proxy_on_configure: onConfigure(
          call("proxy_define_metric", 0, "ticks", word("id")),
          period(10),
        ),
        proxy_on_tick: does(
          call("proxy_increment_metric", use("id"), 2n),
          time(
            2,
            OFF,
            call("proxy_record_metric", use("id"), 1n),
            call("proxy_define_metric", 1, "level", word("gauge")),
            call("proxy_record_metric", use("gauge"), -1n),
            say("end"),
          ),
        ),
      },
    },
    play: [said("end"), ...ask],
  }),
  on("roots", "two roots of one VM tick by themselves", {
    probe: {
      on: {
        proxy_on_configure: onConfigure(
          say("configure", 0, 1),
          time(1, period(20)),
          time(2, period(100)),
        ),
        proxy_on_tick: does(say("tick", 0), OFF),
      },
    },
    configuration: "one",
    beside: [{ configuration: "other" }],
    play: [said("tick 1"), said("tick 2"), ...ask],
  }),
  on("huge", "a period of 2^32 - 1 ms", {
    probe: {
      on: { proxy_on_configure: onConfigure(period(-1)), proxy_on_tick: does(say("tick")) },
    },
  }),
  on("trap", "a trap on a tick", {
    probe: {
      on: {
        proxy_on_configure: onConfigure(period(10)),
        proxy_on_tick: does(say("tick"), { trap: true }),
        proxy_on_request_headers: does(say("request")),
      },
    },
    play: [said("tick"), ...ask],
  }),
  on("held-stream", "a stream is let go by a tick and tells its end", {
    probe: {
      on: {
        proxy_on_request_headers: answers(1, say("request", 0), period(10)),
        proxy_on_tick: does(
          time(1, OFF, call("proxy_set_effective_context", 2), call("proxy_continue_stream", 0)),
        ),
        proxy_on_response_headers: does(say("response", 0)),
        proxy_on_log: does(say("log", 0)),
      },
    },
    play: [client.openAll(), client.closed, said("log 2")],
  }),
];
