import { encodePairs } from "@weft/sdk/host";
import { answers, type Case, client, does, said, type Table } from "../case.ts";
import { bytes, type Callback, call, type Step, say } from "../probe.ts";
import { later, soon } from "./later.ts";

const respond = (status = 502, body = "no", grpcStatus = -1) =>
  call(
    "proxy_send_local_response",
    ...[status, "why", body, encodePairs([["x-added", "1"]]), grpcStatus],
  );
const resume = call("proxy_continue_stream", 1);
const close = call("proxy_close_stream", 1);

const headers = (returns: Callback["returns"], ...steps: Step[]) =>
  answers(returns ?? 0, say("headers", 2), ...steps);
const body = (returns: Callback["returns"], ...steps: Step[]) =>
  answers(returns ?? 0, say("body", 1, 2), ...steps);

const on = (id: string, title: string, rest: Omit<Case, "id" | "title">): Case => {
  return { id: `responses.${id}`, title, ...rest };
};

const life = {
  proxy_on_log: does(
    say("log"),
    call("proxy_get_header_map_value", 2, ":status", bytes()),
    call("proxy_get_property", "response\0code_details", bytes()),
  ),
  proxy_on_done: answers(1, say("done")),
  proxy_on_delete: does(say("delete")),
};

const onRequest = (...steps: Step[]) => answers(1, ...steps);

/** Responses that the plugin makes itself on the request. */
export const local: Table = [
  on("local-changed", "a response of its own is changed in its own callbacks", {
    probe: {
      on: {
        proxy_on_request_headers: onRequest(respond(403)),
        proxy_on_response_headers: headers(
          0,
          call("proxy_add_header_map_value", 2, "x-added", "2"),
        ),
        proxy_on_response_body: body(0, call("proxy_set_buffer_bytes", 1, 0, 99, "changed")),
      },
    },
  }),
  on("local-held", "a response of its own is held and let go from outside", {
    probe: {
      on: {
        proxy_on_request_headers: onRequest(respond(403)),
        proxy_on_response_headers: headers(1, soon),
        proxy_on_response_body: body(0),
        proxy_on_tick: later(resume),
      },
    },
  }),
  on("local-in-local", "a response of its own to a response of its own", {
    probe: {
      on: {
        proxy_on_request_headers: onRequest(respond(403)),
        proxy_on_response_headers: headers(1, respond(404, "second")),
      },
    },
  }),
  on("local-after-continue", "a response of its own, after it has let the request go", {
    probe: {
      on: {
        proxy_on_request_headers: onRequest(call("proxy_continue_stream", 0), respond(403)),
      },
    },
  }),
  on("local-then-continue", "letting a request go that it has answered", {
    probe: {
      on: {
        proxy_on_request_headers: onRequest(respond(403), call("proxy_continue_stream", 0)),
      },
    },
  }),
  on("local-then-close", "closing a stream that it has answered", {
    probe: { on: { proxy_on_request_headers: onRequest(respond(403), close), ...life } },
    play: [client.openAll(), client.closed, said("delete")],
  }),
  on("local-later-twice", "answering twice, the second time from outside", {
    probe: {
      on: {
        proxy_on_request_headers: onRequest(respond(403), soon),
        proxy_on_tick: later(respond(404, "late")),
      },
    },
    play: [client.openAll(), client.closed, said("later")],
  }),
  on("local-details", "the words and the code of its own response, where it logs", {
    probe: { on: { proxy_on_request_headers: onRequest(respond(403)), ...life } },
    play: [client.openAll(), client.closed, said("delete")],
  }),
  ...[0, 99, 100, 199, 600, 1_000].map((status) =>
    on(`local-status-${status}`, `a response of its own with status ${status}`, {
      probe: { on: { proxy_on_request_headers: onRequest(respond(status)) } },
    }),
  ),
  on("local-grpc-status", "a response of its own with a status of gRPC, to HTTP", {
    probe: { on: { proxy_on_request_headers: onRequest(respond(403, "no", 7)) } },
  }),
  on("local-to-grpc", "a response of its own to gRPC", {
    probe: {
      on: {
        proxy_on_request_headers: onRequest(respond(403, "no", 7)),
        proxy_on_response_headers: headers(
          0,
          call("proxy_get_header_map_value", 2, ":status", bytes()),
          call("proxy_get_header_map_value", 2, "grpc-status", bytes()),
          call("proxy_get_header_map_value", 2, "grpc-message", bytes()),
          call("proxy_get_header_map_value", 2, "content-type", bytes()),
        ),
      },
    },
    play: [client.openAll(["content-type", "application/grpc"]), client.closed],
  }),
  on("local-headers", "headers that its own response has in any case", {
    probe: {
      on: {
        proxy_on_request_headers: onRequest(respond(403)),
        proxy_on_response_headers: headers(
          0,
          call("proxy_get_header_map_value", 2, "content-type", bytes()),
          call("proxy_get_header_map_value", 2, "content-length", bytes()),
          call("proxy_get_header_map_value", 2, "x-added", bytes()),
        ),
      },
    },
  }),
  on("local-pairs", "headers of its own response that are no headers", {
    probe: {
      on: {
        proxy_on_request_headers: onRequest(
          call(
            "proxy_send_local_response",
            ...[
              403,
              "",
              "no",
              encodePairs([
                [":status", "299"],
                ["X-Added", "1"],
              ]),
              -1,
            ],
          ),
        ),
      },
    },
  }),
  on("local-malformed", "a response of its own whose headers are malformed", {
    probe: {
      on: {
        proxy_on_request_headers: onRequest(
          call("proxy_send_local_response", 403, "", "no", Uint8Array.of(9, 9), -1),
        ),
      },
    },
  }),
  on("local-on-root", "a response of its own, where there is no stream", {
    probe: {
      on: {
        proxy_on_configure: answers(1, respond(403), resume, close),
      },
    },
  }),
];
