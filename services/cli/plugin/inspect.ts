import { WeftError } from "@weft/core/error";
import type { Inspection } from "@weft/sdk/wasm";
import type { CapabilityChange } from "@weft/sdk/workshop";
import type { Command } from "commander";
import { EXIT } from "../exit.ts";
import { addHelpSections, addOutputOption, type Form } from "../options.ts";
import { count, writeTable } from "../output.ts";
import { toYaml } from "../print.ts";
import { createTerminal, type Terminal } from "../terminal.ts";
import { type BuiltModule, loadModule } from "./folder.ts";
import { withSdk } from "./sdk.ts";

interface Options {
  readonly against?: string;
  readonly output: Form;
}

export function registerInspect(plugin: Command): void {
  const command = plugin
    .command("inspect")
    .description("tell what a module holds, and what its code can do in each callback")
    .argument("[plugin]", "the plugin's folder, or a .wasm file", ".")
    .option("--against <plugin>", "tell only what it can do that another build cannot");
  addOutputOption(command, ["table", "json", "yaml"]);
  addHelpSections(command, {
    isOffline: true,
    exits: [EXIT.no, EXIT.badFile, EXIT.missing],
    examples: [
      "weft plugin inspect extensions/header-stamp",
      "weft plugin inspect stamp.wasm -o json | jq .capabilities",
      "weft plugin inspect . --against released.wasm",
    ],
  });
  command.action((path: string) => run(command.opts(), path));
}

async function run({ against, output }: Options, path: string): Promise<void> {
  const module = await loadModule(path);
  const inspection = await inspectModule(path, module);
  const terminal = createTerminal();
  if (against !== undefined) {
    const { compareCapabilities } = await withSdk(() => import("@weft/sdk/workshop"));
    const before = await inspectModule(against, await loadModule(against));
    const changes = compareCapabilities(before.capabilities, inspection.capabilities);
    return await tellChanges(terminal, output, changes);
  }
  const told = { name: module.name, sha256: module.sha256, ...inspection };
  if (output === "json") return terminal.out(`${JSON.stringify(told, null, 2)}\n`);
  if (output === "yaml") return terminal.out(await toYaml(told));
  tellModule(terminal, module, inspection);
}

async function inspectModule(path: string, { wasm }: BuiltModule): Promise<Inspection> {
  const { inspect, WasmError } = await withSdk(() => import("@weft/sdk/wasm"));
  try {
    return inspect(wasm);
  } catch (cause) {
    if (!(cause instanceof WasmError)) throw cause;
    const message = `${path} is no module that proxies run: ${cause.message}`;
    throw new WeftError("invalid", "plugin.not_wasm", message, { cause });
  }
}

/** The allocator is none, though it is called so. */
const CALLBACK = /^(proxy_on_(?!memory_allocate)|proxy_validate_)/;

/** What its code can do that the other's cannot, and the other way round. */
async function tellChanges(
  terminal: Terminal,
  form: Form,
  changes: readonly CapabilityChange[],
): Promise<void> {
  const gains = changes.filter(({ change }) => change !== "loses").length;
  if (form === "json") terminal.out(`${JSON.stringify({ changes }, null, 2)}\n`);
  else if (form === "yaml") terminal.out(await toYaml({ changes }));
  else for (const change of changes) terminal.out(`${changeText(terminal, change)}\n`);
  if (gains === 0) return terminal.say("it can do nothing that the other build cannot");
  terminal.say(`it can do more than the other build, in ${count(gains, "way")}`);
  process.exitCode = EXIT.no;
}

function changeText(terminal: Terminal, { callback, hostcall, change }: CapabilityChange): string {
  const where = plain(callback);
  if (hostcall === null) {
    return change === "loses"
      ? `${terminal.paint("green", "-")} ${where} is gone`
      : `${terminal.paint("red", "+")} ${where} is new`;
  }
  switch (change) {
    case "gains":
      return `${terminal.paint("red", "+")} ${where} newly uses ${hostcall}`;
    case "may gain":
      return `${terminal.paint("yellow", "?")} ${where} newly may use ${hostcall}`;
    case "loses":
      return `${terminal.paint("green", "-")} ${where} no longer uses ${hostcall}`;
  }
}

function plain(callback: string): string {
  return callback.replace(/^proxy_/, "");
}

function tellModule(terminal: Terminal, module: BuiltModule, inspection: Inspection): void {
  const { abiVersions, bytes, memory, imports, exports, manifest, hasStartSection } = inspection;
  const fact = (name: string, value: string) => {
    if (value !== "") terminal.out(`  ${name.padEnd(8)} ${value}\n`);
  };
  const version = manifest?.version ?? module.version;
  terminal.out(`${terminal.paint("bold", `${module.name} ${version}`.trim())}\n`);
  fact("abi", abiVersions.join(", ") || "none");
  fact("size", `${bytes} bytes`);
  fact("memory", memoryText(memory));
  fact("sha256", module.sha256);
  if (hasStartSection) fact("start", "code runs while it is loaded, which Envoy does not survive");
  fact("sdk", manifest?.sdk ?? "");
  fact("roots", manifest?.roots.map((root) => root || '""').join(", ") ?? "");
  fact("metrics", manifest?.metrics.map(({ kind, name }) => `${name} (${kind})`).join(", ") ?? "");
  fact("schema", manifest?.schemaSha256 ?? "");
  fact("imports", list(imports.map(({ module: from, name }) => `${from}.${name}`)));
  fact("exports", list(exports.map(({ name }) => name)));
  terminal.out("\n");
  writeTable(terminal, inspection.sections, [
    { title: "SECTION", cell: ({ name }) => name },
    { title: "BYTES", cell: (section) => String(section.bytes) },
  ]);
  terminal.out("\n");
  const callbacks = inspection.capabilities.filter(({ callback }) => CALLBACK.test(callback));
  writeTable(terminal, callbacks, [
    { title: "CALLBACK", cell: ({ callback }) => plain(callback) },
    { title: "USES", cell: ({ uses, mayUse }) => usesText(uses, mayUse) },
  ]);
}

function memoryText(memory: Inspection["memory"]): string {
  if (memory === null) return "none";
  const most = memory.maxPages === null ? "without a limit" : `at most ${memory.maxPages}`;
  return `${count(memory.minPages, "page")} of 64 KiB, ${most}`;
}

function list(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(" ");
}

function usesText(uses: readonly string[], mayUse: readonly string[]): string {
  const named = (names: readonly string[]) => names.map(plain).join(" ");
  if (mayUse.length === 0) return named(uses);
  return `${named(uses)}${uses.length === 0 ? "" : "; "}perhaps ${named(mayUse)}`;
}
