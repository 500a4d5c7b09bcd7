import { checkBudget, type Header, load } from "@weft/sdk/vitest";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

const keys = { "k-1234": "alice", "k-5678": "bob" };

/** A request with these headers, and the host it went through. */
function send(...headers: Header[]) {
  const { host, open } = plugin.start({ keys });
  const stream = open();
  stream.requestHeaders([[":path", "/"], ...headers]);
  return { host, stream };
}

test("a key lets its owner in, and goes no further", () => {
  const { stream } = send(["x-api-key", "k-5678"], ["x-consumer", "alice"]);
  expect(stream.request).toHaveHeader("x-consumer", "bob");
  expect(stream.request).not.toHaveHeader("x-api-key");
});

test.each<[string, Header[]]>([
  ["no key", []],
  ["unknown key", [["x-api-key", "k-9999"]]],
  ["unknown key", [["x-api-key", ""]]],
  [
    "several keys",
    [
      ["x-api-key", "k-1234"],
      ["x-api-key", "k-5678"],
    ],
  ],
])("%s: the request is refused", (reason, headers) => {
  const { host, stream } = send(...headers);
  expect(stream).toRespond(401, "an API key is needed\n");
  expect(stream.response).toHaveHeader("www-authenticate", "ApiKey");
  expect(stream.localResponse?.details).toBe(reason);
  expect(host.counters.get("refused_total")).toBe(1n);
});

test("the header can be another", () => {
  const stream = plugin.start({ header: "x-token", keys }).open();
  stream.requestHeaders([["X-Token", "k-1234"]]);
  expect(stream.request).toHaveHeader("x-consumer", "alice");
});

test("who has no keys has made a mistake", () => {
  expect(plugin.refusal({ keys: {} })).toMatch("keys: must have at least 1");
});

test("stays within its budget", () => checkBudget(import.meta.dirname));
