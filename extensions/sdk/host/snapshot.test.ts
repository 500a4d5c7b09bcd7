import { createHost } from "@weft/sdk/host";
import { expect, test } from "vitest";
import { assemble } from "../../../test/conformance/proxy-wasm/assemble.ts";

const [ALLOCATOR, HEADERS, MARKER, LOG] = [1, 2, 3, 0];
const COUNT_AT = 16;

/**
 * A plugin that writes a letter in memory, one further on each request, logs it, and grows its
 * memory by a page.
 */
const counts = assemble({
  imports: [{ module: "env", name: "proxy_log", type: "i32 i32 i32 -> i32" }],
  functions: [
    { type: "i32 -> i32", code: [0x41, 0] },
    {
      type: "i32 i32 i32 -> i32",
      code: [
        ...[0x41, COUNT_AT, 0x41, COUNT_AT, 0x2d, 0, 0, 0x41, 1, 0x6a, 0x3a, 0, 0],
        ...[0x41, 2, 0x41, COUNT_AT, 0x41, 1, 0x10, LOG, 0x1a],
        ...[0x41, 1, 0x40, 0, 0x1a, 0x41, 0],
      ],
    },
    { type: "->", code: [] },
  ],
  exports: [
    ["malloc", ALLOCATOR],
    ["proxy_on_request_headers", HEADERS],
    ["proxy_abi_version_0_2_1", MARKER],
  ],
  ...{ memoryPages: 1, exportsMemory: true, globals: [] },
  ...{ data: Buffer.from("@"), dataAt: COUNT_AT },
});

test("a VM goes back to a snapshot as often as asked; memory that has grown stays", () => {
  const host = createHost(counts);
  const root = host.start("") ?? 0;
  const request = () => host.openStream(root).requestHeaders([]);
  request();
  const after = host.snapshot();
  request();
  request();
  host.restore(after);
  request();
  host.restore(after);
  request();
  expect([host.logs.map(({ message }) => message), host.pages]).toEqual([
    ["A", "B", "C", "B", "B"],
    6,
  ]);
});
