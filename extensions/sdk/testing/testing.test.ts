import { join } from "node:path";
import { expect, test } from "vitest";
import { load } from "./index.ts";

const stamp = await load(join(import.meta.dirname, "../../header-stamp"));

test("a plugin is started with an object as its JSON", () => {
  const stream = stamp.start({ request: { "x-stamp": "v1" } }).open();
  const headers = stream.requestHeaders([[":path", "/"]]);
  expect(headers).toHaveHeader("X-Stamp", "v1");
  expect(stream.request).toHaveHeader("x-stamp", /^v/);
  expect(stream.request).not.toPause();
  expect(() => expect(headers).toHaveHeader("x-stamp", "v2")).toThrow(
    'header x-stamp: v2: it is "v1", among\n  :path: /\n  x-stamp: v1',
  );
  expect(() => expect(headers).toHaveHeader("x-other")).toThrow("there is none");
  expect(() => expect(stream).toRespond(403)).toThrow("has not answered");
});

test("a refusal is what the plugin says", () => {
  const wrong = { request: { "a b": "1" } };
  expect(stamp.refusal(wrong)).toMatch("request.a b is no header name");
  expect(() => stamp.start(wrong)).toThrow("the plugin refuses: header-stamp: request.a b");
  expect(() => stamp.refusal({ request: { a: "1" } })).toThrow("takes the configuration");
});
