// What the SDK costs in a plugin: the size of a module, and nanoseconds a request on a stub host,
// whose hostcalls do next to nothing. The filter that is timed is realistic: it reads three headers,
// parses a cookie, sets and removes request headers and adds a response header. And what an edit of
// a plugin costs until it is built again, by a builder that stays.
//
//   node test/bench/sdk.ts [requests]

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildPlugin, createBuilder } from "../../extensions/sdk/build.ts";
import { Instance, type Memory, Module } from "../../extensions/sdk/host/webassembly.ts";

const requests = Number(process.argv[2] ?? 1_000_000);

/** Requests of a batch, of which the fastest counts: short enough that some have a core alone. */
const BATCH = 2_000;

const OPEN_STREAMS = [1, 100, 1_000];

/** Edits of a plugin that are built one after another. */
const EDITS = 30;

const HELLO = `
import { Action, filter, Headers, HttpFilter } from "@weft/sdk/assembly";

@filter("hello")
export class Hello extends HttpFilter {
  onResponseHeaders(headers: Headers, _endOfStream: bool): Action {
    headers.add("x-hello", "world");
    return Action.Continue;
  }
}
`;

const CONFIGURED = `
import { Action, config, filter, Headers, HttpFilter, max, min } from "@weft/sdk/assembly";

@config
class Settings {
  @min(1) cookie: string = "canary";
  @min(0) @max(100) percent: u8 = 0;
  isOn: bool = true;
}

@filter("configured")
export class Configured extends HttpFilter<Settings> {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const cookie = headers.cookie(this.config.cookie);
    if (this.config.isOn && cookie != null && cookie.equals("yes")) headers.set("x-canary", "1");
    return Action.Continue;
  }
}
`;

const CANARY = `
import { Action, filter, Headers, HttpFilter } from "@weft/sdk/assembly";

@filter("bench")
export class Canary extends HttpFilter {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const path = headers.get(":path");
    if (path != null && path.startsWith("/healthz")) return Action.Continue;
    const user = headers.get("x-user");
    const canary = headers.cookie("canary");
    const isCanary = canary != null && canary.equals("always");
    headers.set("x-canary", isCanary ? "1" : "0");
    if (user != null) headers.set("x-tenant", user.slice(0, user.indexOf("@")));
    headers.remove("x-internal");
    return Action.Continue;
  }

  onResponseHeaders(headers: Headers, _endOfStream: bool): Action {
    headers.add("x-served-by", "weft");
    return Action.Continue;
  }
}
`;

/** The module of a plugin of one source file, built in a folder of its own. */
async function build(text: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "weft-bench-"));
  try {
    await mkdir(join(folder, "assembly"));
    await writeFile(join(folder, "assembly", "index.ts"), text);
    return (await buildPlugin(folder)).wasm;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The answers to the three headers, by the length of the name that is asked for. */
const VALUES = new Map([
  [":path".length, Buffer.from("/api/v1/orders?page=2")],
  ["x-user".length + 1, Buffer.from("ann@example.test")],
  ["cookie".length, Buffer.from("session=0123456789abcdef; theme=dark; canary=always; tz=UTC")],
]);

type Export = (...words: number[]) => number;

function start(wasm: Uint8Array) {
  const module = new Module(wasm);
  let memory = Buffer.alloc(0);
  const refresh = () => {
    const { buffer } = exports["memory"] as Memory;
    if (memory.buffer !== buffer) memory = Buffer.from(buffer);
  };
  const scripted: Record<string, Export> = {
    proxy_get_header_map_value: (_map, key = 0, length = 0, address = 0, size = 0) => {
      refresh();
      const isUser = length === "x-user".length && memory[key] === 0x78;
      const value = VALUES.get(isUser ? length + 1 : length);
      if (value === undefined) return 1;
      const at = malloc(value.byteLength);
      refresh();
      memory.set(value, at);
      memory.writeUInt32LE(at, address);
      memory.writeUInt32LE(value.byteLength, size);
      return 0;
    },
  };
  const calls = Module.imports(module).map(({ name }) => [name, scripted[name] ?? (() => 0)]);
  const functions = Object.fromEntries(calls);
  const { exports } = new Instance(module, { env: functions, wasi_snapshot_preview1: functions });
  const entry = (name: string) => (exports[name] as Export | undefined) ?? (() => 0);
  const malloc = entry("malloc");
  entry("_initialize")();
  const [create, remove] = [entry("proxy_on_context_create"), entry("proxy_on_delete")];
  const [request, response] = [
    entry("proxy_on_request_headers"),
    entry("proxy_on_response_headers"),
  ];
  create(1, 0);
  entry("proxy_on_configure")(1, 0);
  let last = 1;
  return {
    open: () => {
      create(++last, 1);
    },
    serve: () => {
      const id = ++last;
      create(id, 1);
      request(id, 12, 1);
      response(id, 8, 1);
      remove(id);
    },
    pages: () => (exports["memory"] as Memory).buffer.byteLength / 65_536,
  };
}

/** The size of a module, and what of it only people and tools read. */
function sizeOf(wasm: Uint8Array): string {
  const module = new Module(wasm);
  const [names = 0, manifest = 0] = ["name", "weft.manifest"].map(
    (section) => Module.customSections(module, section)[0]?.byteLength ?? 0,
  );
  const rest = wasm.byteLength - names - manifest;
  return `${rest} bytes, and ${names} of names and ${manifest} of manifest`;
}

const wasm = await build(CANARY);
console.log(`hello: ${sizeOf(await build(HELLO))}`);
console.log(`configured: ${sizeOf(await build(CONFIGURED))}`);
console.log(`canary: ${sizeOf(wasm)}`);
for (const open of OPEN_STREAMS) {
  const vm = start(wasm);
  for (let i = 1; i < open; i++) vm.open();
  for (let i = 0; i < 20_000; i++) vm.serve();
  const pages = vm.pages();
  const batches = Math.ceil(requests / BATCH);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < batches; i++) {
    const before = process.hrtime.bigint();
    for (let j = 0; j < BATCH; j++) vm.serve();
    best = Math.min(best, Number(process.hrtime.bigint() - before) / BATCH);
  }
  const memory = `${pages} pages before ${batches * BATCH} requests and ${vm.pages()} after`;
  console.log(`${open} open: ${best.toFixed(0)} ns a request, ${memory}`);
}

/** Edits of one file of a plugin, each built: the first has read nothing and compiled nothing yet. */
async function timeEdits(plugin: string): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), "weft-bench-"));
  try {
    await cp(join(plugin, "assembly"), join(folder, "assembly"), { recursive: true });
    const path = join(folder, "assembly", "index.ts");
    const text = await readFile(path, "utf8");
    const builder = createBuilder(folder);
    const times: number[] = [];
    for (let i = 0; i < EDITS; i++) {
      await writeFile(path, `${text}// ${i}\n`);
      const before = performance.now();
      await builder.build();
      times.push(performance.now() - before);
    }
    return times;
  } finally {
    await rm(folder, { recursive: true });
  }
}

for (const name of ["header-stamp", "ip-allow"]) {
  const [first = 0, ...warm] = await timeEdits(resolve("extensions", name));
  warm.sort((one, other) => one - other);
  const [best = 0, median = 0] = [warm[0], warm[warm.length >> 1]];
  const times = `${first.toFixed(0)} ms at first, then ${best.toFixed(0)} ms at best`;
  console.log(`an edit of ${name}: ${times} and ${median.toFixed(0)} ms in the middle`);
}
