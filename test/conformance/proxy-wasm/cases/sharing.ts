import { answers, ask, type Case, does, said, type Table } from "../case.ts";
import { bytes, call, hidden, say, time, use } from "../probe.ts";

const on = (id: string, title: string, rest: Omit<Case, "id" | "title">): Case => {
  return { id: `sharing.${id}`, title, ...rest };
};

const register = (name = "queue", as = "id") =>
  call("proxy_register_shared_queue", name, hidden(as));
const enqueue = (value: string) => call("proxy_enqueue_shared_queue", use("id"), value);
const dequeue = (as = "id") => call("proxy_dequeue_shared_queue", use(as), bytes());
const write = (key: string, value: string) => call("proxy_set_shared_data", key, value, 0);
const read = (key: string) => call("proxy_get_shared_data", key, bytes(), hidden());

/** The VM of a plugin beside a case's own. */
const other = (id: string) => `sharing.${id}+other`;

/** Queues and data: by name, in order, and across VMs. */
export const sharing: Table = [
  on("register-twice", "a queue is registered twice", {
    probe: {
      on: {
        proxy_on_request_headers: does(
          register("a", "first"),
          register("b", "other"),
          register("a", "second"),
          call("proxy_enqueue_shared_queue", use("first"), "one"),
          dequeue("other"),
          dequeue("second"),
        ),
      },
    },
  }),
  on("register-empty", "a queue without a name", {
    probe: { on: { proxy_on_request_headers: does(register(""), enqueue("one"), dequeue()) } },
  }),
  on("resolve", "a queue is found by its name", {
    probe: {
      on: {
        proxy_on_request_headers: does(
          register("a", "a"),
          register("b", "b"),
          call("proxy_enqueue_shared_queue", use("a"), "one"),
          call("proxy_resolve_shared_queue", "", "b", hidden("found")),
          dequeue("found"),
          call("proxy_resolve_shared_queue", "sharing.resolve", "a", hidden("found")),
          dequeue("found"),
          call("proxy_resolve_shared_queue", "", "c", hidden()),
          call("proxy_resolve_shared_queue", "elsewhere", "a", hidden()),
        ),
      },
    },
  }),
  on("order", "values are told of and come in their order", {
    probe: {
      on: {
        proxy_on_request_headers: does(register(), enqueue("one"), enqueue("two"), say("sent")),
        proxy_on_queue_ready: does(say("ready", 0), dequeue(), time(2, dequeue(), say("end"))),
      },
    },
    play: [...ask, said("end")],
  }),
  on("empty-value", "an empty value", {
    probe: {
      on: {
        proxy_on_request_headers: does(register(), enqueue("")),
        proxy_on_queue_ready: does(say("ready"), dequeue(), dequeue(), say("end")),
      },
    },
    play: [...ask, said("end")],
  }),
  on("drained", "whoever is told of a value that has been taken", {
    probe: {
      on: {
        proxy_on_request_headers: does(register(), enqueue("one"), dequeue(), say("sent")),
        proxy_on_queue_ready: does(say("ready"), dequeue(), say("end")),
      },
    },
    play: [...ask, said("end")],
  }),
  on("ready-enqueues", "a value is put by whoever is told of one", {
    probe: {
      on: {
        proxy_on_request_headers: does(register(), enqueue("one")),
        proxy_on_queue_ready: does(
          say("ready"),
          dequeue(),
          time(1, enqueue("two"), say("put")),
          time(2, say("end")),
        ),
      },
    },
    play: [...ask, said("end")],
  }),
  on("stream-registers", "the root of a stream that has registered is told", {
    probe: {
      on: {
        proxy_on_request_headers: does(say("request", 0), register(), enqueue("one")),
        proxy_on_queue_ready: does(
          say("ready", 0),
          call("proxy_get_header_map_value", 0, ":method", bytes()),
          say("end"),
        ),
      },
    },
    play: [...ask, said("end")],
  }),
  on("roots", "of two roots of one VM the one that registered last is told", {
    probe: {
      on: {
        proxy_on_request_headers: does(say("request", 0), register(), time(2, enqueue("one"))),
        proxy_on_queue_ready: does(say("ready", 0), say("end")),
      },
    },
    configuration: "one",
    beside: [{ configuration: "other" }],
    play: [...ask, said("end")],
  }),
  on("across", "a value goes to a VM of another vm_id", {
    probe: {
      on: {
        proxy_on_request_headers: does(
          time(
            2,
            call("proxy_resolve_shared_queue", other("across"), "queue", hidden("id")),
            enqueue("one"),
          ),
        ),
        proxy_on_queue_ready: does(say("never")),
      },
    },
    beside: [
      {
        vm: "other",
        probe: {
          on: {
            proxy_on_request_headers: does(time(1, register(), say("registered"))),
            proxy_on_queue_ready: does(say("ready", 0), dequeue(), say("end")),
          },
        },
      },
    ],
    play: [...ask, ...ask, said("end")],
  }),
  on("same-name", "queues of one name in two VMs are two", {
    probe: { on: { proxy_on_request_headers: does(register(), enqueue("mine")) } },
    beside: [
      {
        vm: "other",
        probe: { on: { proxy_on_request_headers: does(register(), dequeue()) } },
      },
    ],
  }),
  on("data-across", "data of one key in two VMs are two", {
    probe: { on: { proxy_on_request_headers: does(write("key", "mine")) } },
    beside: [
      { vm: "other", probe: { on: { proxy_on_request_headers: does(read("key"), say("other")) } } },
    ],
  }),
  on("data-roots", "data of one key in two roots of a VM are one", {
    probe: {
      on: {
        proxy_on_request_headers: does(
          read("key"),
          time(1, write("key", "mine")),
          say("request", 0),
        ),
      },
    },
    configuration: "one",
    beside: [{ configuration: "other" }],
  }),
  on("data-modules", "data of one key in two modules of one vm_id are one", {
    probe: { on: { proxy_on_request_headers: does(write("key", "mine")) } },
    beside: [{ probe: { on: { proxy_on_request_headers: does(read("key"), say("other")) } } }],
  }),
  on("queue-modules", "queues of one name in two modules of one vm_id are one", {
    probe: {
      on: {
        proxy_on_request_headers: does(register(), enqueue("one")),
        proxy_on_queue_ready: does(say("first", 0), say("end")),
      },
    },
    beside: [
      {
        probe: {
          on: {
            proxy_on_request_headers: does(register(), dequeue()),
            proxy_on_queue_ready: does(say("second", 0), say("end")),
          },
        },
      },
    ],
    play: [...ask, said("end")],
  }),
  on("data-cas", "numbers of a comparison, where one writes in any case", {
    probe: {
      on: {
        proxy_on_request_headers: does(
          call("proxy_set_shared_data", "key", "one", 0),
          call("proxy_get_shared_data", "key", bytes(), hidden("first")),
          call("proxy_set_shared_data", "key", "two", 0),
          call("proxy_set_shared_data", "key", "three", use("first")),
          call("proxy_set_shared_data", "other", "x", 0),
          call("proxy_get_shared_data", "key", bytes(), hidden("second")),
          call("proxy_set_shared_data", "key", "four", use("second")),
          call("proxy_get_shared_data", "key", bytes(), hidden("third")),
        ),
      },
    },
  }),
  on("data-configure", "data is written while it is configured", {
    probe: {
      on: {
        proxy_on_configure: answers(1, write("key", "early"), read("key")),
        proxy_on_request_headers: does(read("key")),
      },
    },
  }),
  on("data-empty-key", "data without a key", {
    probe: { on: { proxy_on_request_headers: does(write("", "x"), read("")) } },
  }),
];
