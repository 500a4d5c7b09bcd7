import { expect, test } from "vitest";
import { isLoopback } from "./loopback.ts";

test("a host is of this machine only by its whole name or address", () => {
  expect(["127.1.2.3", "::1", "localhost"].every(isLoopback)).toBe(true);
  expect(["128.0.0.1", "127.example", "::2", "0.0.0.0"].some(isLoopback)).toBe(false);
});
