import { createHost, encodePairs, type Header } from "@weft/sdk/host";
import { expect, test } from "vitest";
import {
  assembleProbe,
  bytes,
  call,
  type Step,
  word,
} from "../../../test/conformance/proxy-wasm/probe.ts";

const [ANSWER_BODY, ANSWER_HEADERS] = [4, 6];
const STREAM = 2;
const PAUSE = 1;

const REQUEST: Header[] = [
  [":method", "GET"],
  [":path", "/"],
  [":authority", "auth"],
];

/** What a plugin says that takes these steps when its callout has been answered. */
function answered(...steps: Step[]): string[] {
  const ask = ["auth", encodePairs(REQUEST), "", new Uint8Array(), 0, word()];
  const host = createHost(
    assembleProbe({
      on: {
        proxy_on_request_headers: { steps: [call("proxy_http_call", ...ask)], returns: PAUSE },
        proxy_on_http_call_response: { steps },
      },
    }),
  );
  host.upstream("auth").on(() => ({ headers: [[":status", "200"]], body: "yes" }));
  host.openStream(host.start("") ?? 0).requestHeaders([[":path", "/"]]);
  host.advance(1);
  return host.logs.map(({ message }) => message).slice(1);
}

test("an answer is read on behalf of its root, and of the stream that asked", () => {
  const read = [
    call("proxy_get_header_map_value", ANSWER_HEADERS, ":status", bytes()),
    call("proxy_get_header_map_size", ANSWER_HEADERS, word()),
    call("proxy_get_buffer_bytes", ANSWER_BODY, 0, 9, bytes()),
  ];
  const seen = [
    "get_header_map_value 0 [200]",
    "get_header_map_size 0 10",
    "get_buffer_bytes 0 [yes]",
  ];
  expect(answered(...read)).toEqual(seen);
  expect(answered(call("proxy_set_effective_context", STREAM), ...read)).toEqual([
    "set_effective_context 0",
    ...seen,
  ]);
});
