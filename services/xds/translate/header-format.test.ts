import fc from "fast-check";
import { expect, test } from "vitest";
import { headerFormat } from "./header-format.ts";

test.each([
  ["plain", "plain"],
  ["%PROTOCOL%", "%PROTOCOL%"],
  ["a %REQ(x-user)% b", "a %REQ(x-user)% b"],
  ["%REQ(x-user):8%", "%REQ(x-user):8%"],
  ["%DYNAMIC_METADATA(ns:key)%", "%DYNAMIC_METADATA(ns:key)%"],
  ["100%", "100%%"],
  ["100%%", "100%%"],
  ["5% of %NOPE%", "5%% of %%NOPE%%"],
  ["%REQ%", "%%REQ%%"],
  ["%PROTOCOL(x)%", "%%PROTOCOL(x)%%"],
])("the header value %j is sent as %j", (value, format) => {
  expect(headerFormat(value)).toBe(format);
});

test("what has become a format stays as it is", () => {
  const part = fc.constantFrom("%", "%%", "PROTOCOL", "REQ", "(x-a)", "NOPE", " ", ":3", "a");
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const once = headerFormat(parts.join(""));
      expect(headerFormat(once)).toBe(once);
    }),
  );
});
