import { createHost, encodePairs } from "@weft/sdk/host";
import { expect, test } from "vitest";
import {
  assembleProbe,
  bytes,
  call,
  say,
  word,
} from "../../../test/conformance/proxy-wasm/probe.ts";

const REQUEST = encodePairs([
  [":method", "GET"],
  [":path", "/"],
  [":authority", "backend"],
]);

const BODY = 4;
const HEADERS = 6;

/** What a plugin is told of a callout that may take 20 ms, answered after `delayMs` or not at all. */
function answerOf(answer: "reset" | number): string[] {
  const probe = assembleProbe({
    on: {
      proxy_on_configure: {
        steps: [call("proxy_http_call", "backend", REQUEST, "", new Uint8Array(), 20, word())],
        returns: 1,
      },
      proxy_on_http_call_response: {
        steps: [
          say("response", 2, 3),
          call("proxy_get_header_map_value", HEADERS, ":status", bytes()),
          call("proxy_get_buffer_bytes", BODY, 0, 99, bytes()),
        ],
      },
    },
  });
  const host = createHost(probe);
  host
    .upstream("backend")
    .on(() =>
      answer === "reset"
        ? "reset"
        : { headers: [[":status", "200"]], body: "yes", delayMs: answer },
    );
  host.start("");
  host.advance(100);
  return host.logs.slice(1).map(({ message }) => message);
}

// What Envoy does here is told by the stories in test/plugins.
test.each([
  [20, ["response 1 3", "get_header_map_value 0 [200]", "get_buffer_bytes 0 [yes]"]],
  [
    21,
    [
      "response 3 24",
      "get_header_map_value 0 [504]",
      "get_buffer_bytes 0 [upstream request timeout]",
    ],
  ],
  [
    "reset" as const,
    [
      "response 3 95",
      "get_header_map_value 0 [503]",
      "get_buffer_bytes 0 [upstream connect error or disconnect/reset before headers. reset reason: connection termination]",
    ],
  ],
])("a callout that may take 20 ms and is answered after %s", (answer, told) => {
  expect(answerOf(answer)).toEqual(told);
});
