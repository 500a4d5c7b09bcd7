import { createHost, encodePairs, type Header } from "@weft/sdk/host";
import { expect, test } from "vitest";
import { assembleProbe, call, say } from "../../../test/conformance/proxy-wasm/probe.ts";

const PAUSE = 1;
const NO_GRPC_STATUS = -1;

/** A stream whose plugin answers so, and what the plugin sees of its answer. */
function respond(status: number, headers: readonly Header[], body: string) {
  const words = [status, "why", body, encodePairs(headers), NO_GRPC_STATUS];
  const host = createHost(
    assembleProbe({
      on: {
        proxy_on_request_headers: {
          steps: [call("proxy_send_local_response", ...words)],
          returns: PAUSE,
        },
        proxy_on_response_headers: { steps: [say("headers", 1, 2)] },
        proxy_on_response_body: { steps: [say("body", 1, 2)] },
      },
    }),
  );
  const stream = host.openStream(host.start("") ?? 0);
  stream.requestHeaders([[":path", "/"]]);
  return { stream, said: host.logs.map(({ message }) => message).slice(1) };
}

test("a plugin's own answer has the length and the type of its body", () => {
  const { stream, said } = respond(418, [["x-own", "1"]], "a teapot");
  expect(stream.response.headers).toEqual([
    [":status", "418"],
    ["x-own", "1"],
    ["content-length", "8"],
    ["content-type", "text/plain"],
  ]);
  expect(said).toEqual(["headers 4 0", "body 8 1"]);
  expect(stream.localResponse?.headers).toEqual([["x-own", "1"]]);
});

test("the type that the plugin gives stays, the length does not", () => {
  const { stream } = respond(
    200,
    [
      ["content-type", "text/html"],
      ["content-length", "99"],
    ],
    "hi",
  );
  expect(stream.response.headers).toEqual([
    [":status", "200"],
    ["content-type", "text/html"],
    ["content-length", "2"],
  ]);
});

test("an answer without a body has neither", () => {
  const { stream, said } = respond(
    204,
    [
      ["content-type", "text/html"],
      ["content-length", "99"],
    ],
    "",
  );
  expect(stream.response.headers).toEqual([[":status", "204"]]);
  expect(said).toEqual(["headers 1 1"]);
});
