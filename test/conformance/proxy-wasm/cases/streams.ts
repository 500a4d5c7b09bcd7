import { encodePairs } from "@weft/sdk/host";
import { answers, does, onRequest, type Table } from "../case.ts";
import { call, say } from "../probe.ts";

const respond = (status: number, body: string, grpcStatus = -1) =>
  call(
    "proxy_send_local_response",
    status,
    "why",
    body,
    encodePairs([["x-added", "1"]]),
    grpcStatus,
  );
const paused = (returns: number, ...steps: Parameters<typeof does>) => ({
  on: { proxy_on_request_headers: answers(returns, ...steps) },
});

/** Pausing, resuming, closing and answering. */
export const streams: Table = [
  ...[0, 1, 2, 3, 4, 99].map((direction) => ({
    id: `streams.continue-${direction}`,
    title: `continuing stream ${direction} that flows`,
    probe: onRequest(call("proxy_continue_stream", direction)),
    // There is no response yet to go on with.
    killsEnvoy: direction === 1,
  })),
  ...[2, 3, 4, 99].map((direction) => ({
    id: `streams.close-${direction}`,
    title: `closing stream ${direction}`,
    probe: onRequest(call("proxy_close_stream", direction)),
  })),
  ...[0, 1].map((direction) => ({
    id: `streams.close-${direction}`,
    title: `closing stream ${direction} of HTTP`,
    probe: onRequest(call("proxy_close_stream", direction), say("goes on")),
  })),
  ...[1, 2, 3, 4, 9].map((action) => ({
    id: `streams.headers-${action}`,
    title: `request headers answered with ${action}, and resumed`,
    probe: {
      on: {
        proxy_on_request_headers: answers(action, call("proxy_continue_stream", 0)),
        proxy_on_request_body: does(say("body", 1, 2)),
      },
    },
  })),
  {
    id: "streams.body-resumed",
    title: "a body held back at first and let go at its end",
    probe: {
      on: {
        proxy_on_request_body: answers(1, say("body", 1, 2), call("proxy_continue_stream", 0)),
      },
    },
    request: { body: "abcd" },
  },
  {
    id: "streams.body-no-buffer",
    title: "a body that is not kept",
    probe: { on: { proxy_on_response_body: answers(0, say("body", 1, 2)) } },
  },
  {
    id: "streams.respond",
    title: "a response of the plugin's own",
    probe: paused(1, respond(403, "no")),
  },
  {
    id: "streams.respond-continue",
    title: "a response of its own, though it answers Continue",
    probe: paused(0, respond(403, "no"), say("goes on")),
  },
  {
    id: "streams.respond-callbacks",
    title: "a response of its own passes through its callbacks",
    probe: {
      on: {
        proxy_on_request_headers: answers(1, respond(403, "no")),
        proxy_on_response_headers: does(say("response")),
        proxy_on_response_body: does(say("body", 1, 2)),
        proxy_on_log: does(say("log")),
      },
    },
  },
  {
    id: "streams.respond-twice",
    title: "of two responses of its own the first counts",
    probe: paused(1, respond(403, "no"), respond(404, "never")),
  },
  {
    id: "streams.respond-empty",
    title: "a response of its own without body",
    probe: paused(1, respond(204, "")),
  },
  {
    id: "streams.respond-on-response",
    title: "a response of its own in place of the upstream's",
    probe: { on: { proxy_on_response_headers: answers(1, respond(502, "no")) } },
  },
];
