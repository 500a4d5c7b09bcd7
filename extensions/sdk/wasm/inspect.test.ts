import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { assemble } from "../../../test/conformance/proxy-wasm/assemble.ts";
import { buildPlugin } from "../build.ts";
import { createHost, type Header } from "../host/index.ts";
import { inspect } from "./index.ts";

const sdk = join(import.meta.dirname, "..");
const { wasm: stamp } = await buildPlugin(join(sdk, "../header-stamp"));
const { wasm: probe } = await buildPlugin(join(sdk, "probe"));

test("header-stamp is told with what each of its callbacks can reach", () => {
  const { sections, exports, manifest, capabilities, ...facts } = inspect(stamp);
  expect(facts).toMatchObject({
    bytes: stamp.byteLength,
    abiVersions: ["0.2.1"],
    hasStartSection: false,
    memory: { minPages: 1, maxPages: 1024 },
  });
  expect(sections.reduce((sum, { bytes }) => sum + bytes, 8)).toBe(stamp.byteLength);
  expect(sections.filter(({ isCustom }) => isCustom).map(({ name }) => name)).toEqual([
    "name",
    "sourceMappingURL",
    "weft.manifest",
  ]);
  expect(exports).toContainEqual({
    name: "proxy_on_request_headers",
    kind: "function",
    type: "i32 i32 i32 -> i32",
  });
  expect(manifest?.roots).toEqual(["header-stamp"]);
  const stamps = ["proxy_increment_metric", "proxy_log", "proxy_replace_header_map_value"];
  const configures = ["proxy_define_metric", "proxy_get_buffer_bytes", "proxy_get_log_level"];
  const uses = Object.fromEntries(capabilities.map((each) => [each.callback, each.uses]));
  expect(uses).toEqual({
    _initialize: ["proxy_log"],
    malloc: ["proxy_log"],
    proxy_on_memory_allocate: ["proxy_log"],
    proxy_on_context_create: ["proxy_get_log_level", "proxy_log"],
    proxy_on_configure: [...configures, "proxy_log"],
    proxy_on_request_headers: stamps,
    proxy_on_response_headers: stamps,
    proxy_on_delete: ["proxy_log"],
  });
});

/** What a function does that only calls others, and answers nothing. */
const calls = (...code: number[]) => ({ type: "->", code });
const through = (type: number) => [0x41, 0, 0x11, type, 0];

test("a call through a table may be of anything there that has the type", () => {
  const hostcall = (name: string) => ({ module: "env", name, type: "->" });
  const wasm = assemble({
    imports: [hostcall("named"), hostcall("tabled"), hostcall("nobody")],
    functions: [
      calls(0x10, 0, ...through(0)),
      calls(0x10, 1),
      { type: "i32 -> i32", code: [0x10, 2, 0x20, 0] },
      calls(0x10, 7, 0x10, 3),
      calls(0x10, 6),
      // What stands behind a jump is never reached.
      calls(0x0f, 0x10, 2),
    ],
    exports: [
      ["direct", 3],
      ["around", 6],
      ["proxy_abi_version_0_2_1", 7],
      ["dead", 8],
      ["handed_on", 1],
    ],
    ...{ memoryPages: 3, exportsMemory: true, globals: [], data: new Uint8Array(), dataAt: 0 },
    table: [4, 5],
  });
  const { capabilities, memory, manifest } = inspect(wasm);
  expect([memory, manifest]).toEqual([{ minPages: 3, maxPages: null }, null]);
  expect(capabilities).toEqual([
    { callback: "direct", uses: ["named"], mayUse: ["tabled"] },
    { callback: "around", uses: ["named"], mayUse: ["tabled"] },
    { callback: "dead", uses: [], mayUse: [] },
    { callback: "handed_on", uses: ["tabled"], mayUse: [] },
  ]);
});

test("no callback calls what it is not told to reach", () => {
  const { capabilities } = inspect(probe);
  const reached = (callback: string) => {
    const found = capabilities.find((each) => each.callback === callback);
    return [...(found?.uses ?? []), ...(found?.mayUse ?? [])];
  };
  const allowed = new Set([...reached("proxy_on_request_headers"), ...reached("malloc")]);
  const ask = fc.constantFrom("all", "text", "count", "has", "level", "cookie");
  fc.assert(
    fc.property(ask, fc.array(fc.string(), { maxLength: 3 }), (question, subjects) => {
      const host = createHost(probe);
      const stream = host.openStream(host.start("") ?? 0);
      const before = new Map(host.callCounts);
      const all = subjects.map((each): Header => ["subject", each]);
      stream.requestHeaders([["ask", question], ["cookie", "user=ann"], ...all]);
      const called = [...host.callCounts].filter(([name, count]) => before.get(name) !== count);
      expect(called.map(([name]) => name).filter((name) => !allowed.has(name))).toEqual([]);
      expect(called.length).toBeGreaterThan(0);
    }),
    { numRuns: 50 },
  );
});

test("a manifest that is no JSON is none", () => {
  const text = (value: string) => [value.length, ...Buffer.from(value)];
  const content = [...text("weft.manifest"), ...Buffer.from("{")];
  const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, content.length, ...content]);
  expect(inspect(bytes)).toMatchObject({ manifest: null, memory: null, capabilities: [] });
});
