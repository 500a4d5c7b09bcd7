// What the SDK costs in a plugin: the size of a module, and nanoseconds a request on a stub host,
// whose hostcalls do next to nothing. The filter that is timed is realistic: it reads three headers,
// parses a cookie, sets and removes request headers and adds a response header. And what an edit of
// a plugin costs until it is built again, by a builder that stays.
//
//   node test/bench/sdk.ts [ms for each number of open streams]

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildPlugin, createBuilder } from "../../extensions/sdk/build.ts";
import { Module } from "../../extensions/sdk/host/webassembly.ts";
import { fastest, startStub } from "./plugins/stub-host.ts";

/** How long streams of each kind are timed; of the batches the fastest counts. */
const ms = Number(process.argv[2] ?? 2_000);

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

/** The size of a module, and what of it only people and tools read. */
function sizeOf(wasm: Uint8Array): string {
  const module = new Module(wasm);
  const [names = 0, manifest = 0] = ["name", "weft.manifest"].map(
    (section) => Module.customSections(module, section)[0]?.byteLength ?? 0,
  );
  const rest = wasm.byteLength - names - manifest;
  return `${rest} bytes, and ${names} of names and ${manifest} of manifest`;
}

const { wasm } = await buildPlugin(join(import.meta.dirname, "plugins/weft"));
console.log(`hello: ${sizeOf(await build(HELLO))}`);
console.log(`configured: ${sizeOf(await build(CONFIGURED))}`);
console.log(`canary: ${sizeOf(wasm)}`);
for (const open of OPEN_STREAMS) {
  const stub = startStub(wasm);
  for (let i = 1; i < open; i++) stub.open();
  const [ns = 0] = fastest([stub.serve], ms);
  console.log(`${open} open: ${ns.toFixed(0)} ns a request, ${stub.pages} pages`);
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
