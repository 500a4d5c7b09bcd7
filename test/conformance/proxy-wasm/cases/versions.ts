import { answers, ask, type Case, client, does, said, type Table, upstream } from "../case.ts";
import { bytes, call, hex, hidden, type Probe, say, word } from "../probe.ts";
import { later, soon } from "./later.ts";

const OLD = ["0.1.0", "0.2.0"] as const;
type Old = (typeof OLD)[number];

const on = (abi: Old, id: string, rest: Omit<Case, "id">): Case => {
  return { ...rest, id: `versions.${abi}-${id}`, title: `${abi}: ${rest.title}` };
};

/** The life of a stream; headers of 0.1.0 are not told whether they are all. */
function life(abi: Old): Case {
  const head = abi === "0.1.0" ? [0] : [0, 2];
  return on(abi, "life", {
    title: "the life of a stream",
    probe: {
      abi,
      on: {
        proxy_on_context_create: does(say("create", 0, 1)),
        proxy_on_vm_start: answers(1, say("vm_start", 0, 1)),
        proxy_on_configure: answers(1, say("configure", 0, 1)),
        proxy_on_request_headers: does(say("request", ...head)),
        proxy_on_request_body: does(say("request body", 0, 1, 2)),
        proxy_on_request_trailers: does(say("request trailers", 0, 1)),
        proxy_on_response_headers: does(say("response", ...head)),
        proxy_on_response_body: does(say("response body", 0, 1, 2)),
        proxy_on_response_trailers: does(say("response trailers", 0, 1)),
        proxy_on_done: answers(1, say("done", 0)),
        proxy_on_log: does(say("log", 0)),
        proxy_on_delete: does(say("delete", 0)),
      },
    },
    play: [
      ...[client.open(), client.send("ab"), client.trail(["x-t-z", "1"])],
      ...[upstream.open([":status", "200"]), upstream.send("cd")],
      ...[upstream.trail(["x-t-z", "1"]), client.closed, said("delete 2")],
    ],
  });
}

/** What is held, and let go by the hostcall that the version has for it. */
function holding(abi: Old): Case[] {
  const resume = (direction: "request" | "response") =>
    abi === "0.1.0"
      ? call(`proxy_continue_${direction}`)
      : call("proxy_continue_stream", direction === "request" ? 0 : 1);
  return [
    ...[1, 2, 3].map((answer) =>
      on(abi, `headers-${answer}`, {
        title: `headers are answered with ${answer}`,
        probe: {
          abi,
          on: {
            // Answered with 2 they go on, and nothing is to be let go.
            proxy_on_request_headers: answers(answer, ...(answer === 2 ? [] : [soon])),
            proxy_on_request_body: does(say("body", 1, 2)),
            proxy_on_tick: later(resume("request")),
          },
        },
        request: { body: "abcd" },
      }),
    ),
    on(abi, "response-held", {
      title: "a response is held",
      probe: {
        abi,
        on: {
          proxy_on_response_headers: answers(1, soon),
          proxy_on_response_body: does(say("body", 1, 2)),
          proxy_on_tick: later(resume("response")),
        },
      },
    }),
  ];
}

/** What hostcalls answer on a request's headers. */
function answering(abi: Old): Case[] {
  const onHeaders = (...steps: Parameters<typeof does>): Probe => {
    return { abi, on: { proxy_on_request_headers: does(...steps) } };
  };
  const route = call("proxy_get_property", "xds\0route_name", bytes());
  return [
    on(abi, "absent", {
      title: "what is not there",
      probe: onHeaders(
        call("proxy_get_header_map_value", 0, "x-none", bytes()),
        call("proxy_get_header_map_value", 2, "x-none", bytes()),
        call("proxy_get_header_map_pairs", 2, hex),
        call("proxy_remove_header_map_value", 0, "x-none"),
        call("proxy_get_buffer_bytes", 4, 0, 9, bytes()),
        call("proxy_get_buffer_bytes", 0, 0, 9, bytes()),
        call("proxy_get_property", "none", bytes()),
        call("proxy_get_shared_data", "none", bytes(), hidden()),
        call("proxy_get_metric", 400, 0x2_7000),
        call("proxy_http_call", "none", "", "", "", 1, word()),
      ),
    }),
    on(abi, "configuration", {
      title: "the plugin's configuration on a request",
      probe: onHeaders(
        abi === "0.1.0"
          ? call("proxy_get_configuration", bytes())
          : call("proxy_get_buffer_bytes", 7, 0, 9, bytes()),
      ),
      configuration: "blue",
    }),
    on(abi, "route", {
      title: "the name of the route, before and after a header is changed",
      probe: onHeaders(route, call("proxy_add_header_map_value", 0, "x-t-b", "two"), route),
      play: ask,
    }),
    on(abi, "foreign", {
      title: "a foreign function",
      probe: onHeaders(call("proxy_call_foreign_function", "clear_route_cache", "", bytes())),
    }),
  ];
}

/** What the callbacks of older versions are told, and what their hostcalls answer. */
export const versions: Table = OLD.flatMap((abi) => [
  life(abi),
  ...holding(abi),
  ...answering(abi),
]);
