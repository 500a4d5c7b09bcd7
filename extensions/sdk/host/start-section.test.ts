import { createHost, LoadError } from "@weft/sdk/host";
import { expect, test } from "vitest";
import { assemble, type Code, s64 } from "../../../test/conformance/proxy-wasm/assemble.ts";

const [LOG, GLOBAL] = [0, 0];
const TEXT_AT = 1_024;
const i32 = (value: number): Code => [0x41, ...s64(BigInt(value))];
const get: Code = [0x23, GLOBAL];
const set: Code = [0x24, GLOBAL];
const [CALL, DROP, UNREACHABLE] = [0x10, 0x1a, 0x00];

/** Logs "set" on start if its start section has done so. */
function module(start: Code): Uint8Array {
  return assemble({
    imports: [{ module: "env", name: "proxy_log", type: "i32 i32 i32 -> i32" }],
    functions: [
      { type: "->", code: start },
      { type: "i32 -> i32", code: i32(0) },
      {
        type: "i32 i32 -> i32",
        code: [...i32(2), ...i32(TEXT_AT), ...get, CALL, LOG, DROP, ...i32(1)],
      },
    ],
    exports: [
      ["proxy_abi_version_0_2_1", 1],
      ["malloc", 2],
      ["proxy_on_vm_start", 3],
    ],
    start: 1,
    memoryPages: 1,
    exportsMemory: true,
    globals: [0],
    data: Buffer.from("set"),
    dataAt: TEXT_AT,
  });
}

test("a start section runs before anything is called", () => {
  const host = createHost(module([...i32(3), ...set]));
  expect(host.start("")).toBe(1);
  expect(host.logs.map(({ message }) => message)).toEqual(["set"]);
});

test.each([
  ["counts fuel", { meter: true }, undefined, 6],
  ["limits fuel", { fuelMax: 6 }, undefined, 6],
  ["counts blocks", { coverage: true }, [[1], [0], [0]], 0],
  ["counts both", { meter: true, coverage: true }, [[1], [0], [0]], 6],
])(
  "a start section runs in a host that %s: its blocks are counted, it is no callback",
  (...row) => {
    const [, options, runs, fuel] = row;
    const host = createHost(module([...i32(3), ...set]), options);
    expect(host.coverage?.runs).toEqual(runs);
    expect(host.costs.size).toBe(0);
    expect(host.start("")).toBe(1);
    expect(host.logs.map(({ message }) => message)).toEqual(["set"]);
    expect(host.costs.get("proxy_on_vm_start")?.fuel).toBe(fuel);
  },
);

test("a hostcall from a start section is refused: Envoy dies of it", () => {
  const wasm = module([...i32(2), ...i32(TEXT_AT), ...i32(3), CALL, LOG, DROP]);
  expect(() => createHost(wasm)).toThrow(LoadError);
  expect(() => createHost(wasm)).toThrow(
    "Failed to create new Wasm instance: proxy_log is not allowed while the plugin is starting",
  );
});

test("a start section that traps is refused", () => {
  expect(() => createHost(module([UNREACHABLE]))).toThrow(/^Failed to create new Wasm instance: /);
});
