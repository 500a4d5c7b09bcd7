// What plugins cost: one filter written with each of the three AssemblyScript SDKs, and the plugins
// of the catalog beside the filters of Envoy's own that do the same.
//
//   node test/bench/plugins.ts             # four minutes; prints the tables
//   node test/bench/plugins.ts --quick     # half a minute, to see that it runs
//   node test/bench/plugins.ts --write     # also writes docs/performance.md and its plot
//
// The other SDKs are installed once, into .tools.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildPlugin } from "../../extensions/sdk/build.ts";
import { assembleProbe } from "../conformance/proxy-wasm/probe.ts";
import { wasmFilter } from "../world/filter-envoy.ts";
import { buildCanaries, type Canary, timeCanaries } from "./plugins/canary.ts";
import { catalog, folderOf } from "./plugins/catalog.ts";
import { measureInEnvoy, type Plan, type Subject } from "./plugins/in-envoy.ts";
import { plot } from "./plugins/plot.ts";
import { EMPTY, nativeName, section } from "./plugins/report.ts";

const { values } = parseArgs({
  options: { quick: { type: "boolean" }, write: { type: "boolean" } },
});

/** For how long each filter runs in each place outside of Envoy. */
const timeMs = values.quick === true ? 200 : 2_000;

const plan: Plan =
  values.quick === true
    ? { rounds: 2, cpuMs: 100, latencyMs: 50 }
    : { rounds: 13, cpuMs: 200, latencyMs: 120 };

const CANARY_HEADERS = [
  ["x-user", "ann@example.test"],
  ["cookie", "session=0123456789abcdef; theme=dark; canary=always; tz=UTC"],
  ["x-internal", "1"],
] as const;

const modules = mkdtempSync(join(tmpdir(), "weft-bench-"));

/** Writes a module where Envoy reads it. */
function place(name: string, wasm: Uint8Array): string {
  const path = join(modules, `${name.replaceAll(/\W/g, "-")}.wasm`);
  writeFileSync(path, wasm);
  return path;
}

/** A plugin that only lets itself be entered, once a stream. */
function emptySubject(): Subject {
  const wasm = assembleProbe({ on: { proxy_on_request_headers: { steps: [] } } });
  const filters = [wasmFilter({ id: EMPTY, path: place(EMPTY, wasm) })];
  return { name: EMPTY, filters, headers: CANARY_HEADERS, path: "/" };
}

function canarySubject({ sdk, wasm }: Canary): Subject {
  const options = { id: sdk, path: place(sdk, wasm), configuration: "any", rootId: "canary" };
  return {
    name: sdk,
    filters: [wasmFilter(options)],
    headers: CANARY_HEADERS,
    path: "/api/v1/orders?page=2",
  };
}

async function catalogSubjects(): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const { plugin, configuration, before, native, headers = [], path = "/" } of catalog) {
    const { wasm } = await buildPlugin(folderOf(plugin));
    const text = JSON.stringify(configuration);
    const ours = wasmFilter({ id: plugin, path: place(plugin, wasm), configuration: text });
    const without = before === undefined ? [] : [before];
    const rest = { without, headers, path };
    subjects.push({ name: plugin, filters: [...without, ours], ...rest });
    if (native !== undefined) {
      subjects.push({ name: nativeName(plugin), filters: [native], ...rest });
    }
  }
  return subjects;
}

try {
  const canaries = await buildCanaries();
  const costs = timeCanaries(canaries, timeMs);
  const subjects = [...canaries.map(canarySubject), emptySubject(), ...(await catalogSubjects())];
  const measured = await measureInEnvoy(subjects, plan);
  const text = section({ costs, measured, catalog });
  console.log(text);
  if (values.write === true) {
    const docs = resolve(import.meta.dirname, "../../docs");
    const page = join(docs, "performance.md");
    const before = readFileSync(page, "utf8").replace(/## Plugins\n.*?(?=\n## |$)/s, () => text);
    writeFileSync(page, before);
    mkdirSync(join(docs, "performance"), { recursive: true });
    writeFileSync(join(docs, "performance", "plugins.svg"), plot({ costs, measured, catalog }));
  }
} finally {
  rmSync(modules, { recursive: true });
}
