import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { askAdmin, isLive } from "@weft/agent/admin";
import { type EnvoyProcess, endEnvoy, launchEnvoy } from "@weft/agent/envoy";
import { WeftError } from "@weft/core/error";
import { silentLogger } from "@weft/core/runtime";
import {
  bootstrapOf,
  LISTENER,
  type PluginSetting,
  SLOT,
  type Surroundings,
  slotOf,
} from "./envoy-config.ts";
import { type EnvoyLevel, type EnvoyLine, pluginLine, readLine } from "./envoy-log.ts";

/** A plugin to put into the slot; its VM is a new one unless `vmId` names another. */
export type Plugin = Omit<PluginSetting, "vmId"> & { readonly vmId?: string | undefined };

export interface WorkshopOptions extends Surroundings {
  /** Path of Envoy. */
  readonly program: string;
  /** In the slot from the first request on, if Envoy takes it. */
  readonly plugin: Plugin;
  /** Worker threads; each has a VM of its own. */
  readonly workers?: number;
  /** The least of what the plugin says. */
  readonly logLevel?: EnvoyLevel;
  /** Hears what the plugin says. */
  readonly onPluginLine?: (level: EnvoyLevel, message: string) => void;
  /** Hears everything else. */
  readonly onEnvoyLine?: (line: EnvoyLine) => void;
}

/** What Envoy made of a plugin. */
export type Verdict =
  | { readonly accepted: true }
  /** The one before goes on; `causes` is what Envoy and the plugin said, in that order. */
  | { readonly accepted: false; readonly causes: readonly string[] };

/** An Envoy with one plugin. Disposing ends it and leaves nothing. */
export interface WorkshopEnvoy extends AsyncDisposable {
  /** Where the listener is, on loopback. */
  readonly port: number;
  /** `http://127.0.0.1:41733` */
  readonly adminUrl: string;
  readonly pid: number;
  /** What it made of the first plugin. */
  readonly first: Verdict;
  /** Settles when it has ended, with how. */
  readonly exited: Promise<string>;
  /** Puts a plugin in place of the one before, and answers once new requests get it, or not. */
  swap(plugin: Plugin): Promise<Verdict>;
}

/** A healthy Envoy takes a plugin in 10 ms; a busy machine needs more. */
const ANSWER_MS_MAX = 30_000;

/** How often Envoy's admin page is asked: often enough not to be seen in the time of a swap. */
const LOOK_MS = 2;

/** Starts an Envoy that serves a plugin. @throws WeftError if it does not come up */
export async function startWorkshopEnvoy(options: WorkshopOptions): Promise<WorkshopEnvoy> {
  const folder = mkdtempSync(join(tmpdir(), "weft-plugin-"));
  const started = new AsyncDisposableStack();
  started.defer(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const slot = createSlot(folder, options);
    slot.put(options.plugin);
    const envoy = await launchEnvoy({
      program: options.program,
      folder,
      bootstrap: JSON.stringify(bootstrapOf(options, slot.folder)),
      concurrency: options.workers ?? 1,
      drainSeconds: 1,
      log: silentLogger,
      wasmLogLevel: options.logLevel ?? "info",
      onLine: slot.hear,
    });
    started.defer(() => endEnvoy(envoy));
    const first = await slot.answer(envoy, 0);
    const port = await serving(envoy);
    let last: Promise<unknown> = Promise.resolve();
    return {
      port,
      adminUrl: envoy.adminUrl,
      pid: envoy.child.pid ?? 0,
      first,
      exited: envoy.exited,
      swap(plugin) {
        // One at a time: an answer is told from the one before by their number.
        const verdict = last.then(async () => {
          const answers = await countAnswers(envoy);
          slot.put(plugin);
          return slot.answer(envoy, answers.all);
        });
        last = verdict.catch(() => {}); // told to whoever asked for that swap
        return verdict;
      },
      [Symbol.asyncDispose]: () => started.disposeAsync(),
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

interface Slot {
  /** That Envoy watches. */
  readonly folder: string;
  /** Takes a line of Envoy's log. */
  readonly hear: (line: string) => void;
  put(plugin: Plugin): void;
  /** What Envoy says to what was put last, after so many answers before. */
  answer(envoy: EnvoyProcess, before: number): Promise<Verdict>;
}

/** The file that the plugin comes from, and what is said of it. */
function createSlot(folder: string, options: WorkshopOptions): Slot {
  const { kind, onPluginLine, onEnvoyLine } = options;
  const slotFolder = join(folder, "slot");
  mkdirSync(slotFolder);
  const vmIds: string[] = [];
  let puts = 0;
  /** Since the last plugin was put. */
  let lines: EnvoyLine[] = [];

  return {
    folder: slotFolder,
    hear(text) {
      const line = readLine(text);
      if (line === null) return;
      if (lines.length < LINES_KEPT_MAX) lines.push(line);
      const said = pluginLine(line, vmIds);
      if (said === null) onEnvoyLine?.(line);
      else onPluginLine?.(said.level, said.message);
    },
    put(plugin) {
      puts += 1;
      lines = [];
      const vmId = plugin.vmId ?? `${plugin.name}@${digestOf(plugin.wasm)}#${puts}`;
      // The newest is the likeliest to speak; those long gone say nothing any more.
      vmIds.unshift(vmId);
      vmIds.splice(VM_IDS_MAX);
      const draft = join(folder, "draft.json");
      writeFileSync(draft, JSON.stringify(slotOf(kind, { ...plugin, vmId }, String(puts))));
      renameSync(draft, join(slotFolder, `${SLOT}.json`));
    },
    async answer(envoy, before) {
      let answers: Answers | undefined;
      await until(envoy, "an answer to the plugin", async () => {
        answers = await countAnswers(envoy);
        return answers.all > before;
      });
      const main = envoy.child.pid;
      const refusal = (): number => lines.findIndex(({ text }) => REFUSAL.test(text));
      const isRefused = answers?.lastVersion !== String(puts);
      if (!isRefused) return { accepted: true };
      // The page knows it before the pipe of the log has brought it here.
      await until(envoy, "the reason of a refusal", () => refusal() >= 0);
      return { accepted: false, causes: causesOf(lines.slice(0, refusal() + 1), main, vmIds) };
    },
  };
}

/** Lines that are kept for the reason of a refusal: what comes first tells it. */
const LINES_KEPT_MAX = 1_000;

/** A replaced plugin may speak until its last request has ended. */
const VM_IDS_MAX = 50;

/** How Envoy ends what it says of a file that it does not take. */
const REFUSAL = /^Filesystem config update (?:rejected|failure): /;

/** What Envoy says of a plugin after it has said why, or where nobody says why. */
const EPILOGUES = [
  /^Plugin .* failed to load$/,
  /^Filesystem config update rejected: Unable to create Wasm plugin /,
  /^Wasm VM failed Failed to (?:configure base Wasm plugin|(?:load|initialize) Wasm code)$/,
];

/** The lines about a refusal: plugins are built and configured first on Envoy's main thread. */
function causesOf(
  lines: readonly EnvoyLine[],
  main: number | undefined,
  vmIds: readonly string[],
): string[] {
  const own = lines.filter(({ thread, component, level }) => {
    return (
      thread === main &&
      /^(wasm|config)$/.test(component) &&
      /^(warning|error|critical)$/.test(level)
    );
  });
  const texts = own.map((line) => pluginLine(line, vmIds)?.message ?? line.text);
  // Each kind of epilogue is left out if that leaves something.
  const shown = EPILOGUES.reduce((left, epilogue) => {
    const telling = left.filter((text) => !epilogue.test(text));
    return telling.length > 0 ? telling : left;
  }, texts);
  return shown.map((text) => text.replace(REFUSAL, "").replace(/^Wasm VM failed /, ""));
}

interface Answers {
  readonly all: number;
  /** Of the plugin that it took last. */
  readonly lastVersion: string | undefined;
}

/** How often Envoy has taken or refused what is in the slot's file. */
async function countAnswers({ adminUrl }: EnvoyProcess): Promise<Answers> {
  const filter = `^extension_config_discovery\\.(http|network)_filter\\.${SLOT}\\.(update_(success|rejected|failure)|version_text)$`;
  const { body } = await askAdmin(`${adminUrl}/stats?filter=${encodeURIComponent(filter)}`);
  const counts = [...body.matchAll(/\.update_\w+: (\d+)$/gm)];
  return {
    all: counts.reduce((sum, [, count]) => sum + Number(count), 0),
    lastVersion: /\.version_text: "(.*)"$/m.exec(body)?.[1],
  };
}

/** The port of the listener, once it serves. */
async function serving(envoy: EnvoyProcess): Promise<number> {
  await until(envoy, "an Envoy that serves", async () => {
    if (!(await isLive(envoy.adminUrl))) return false;
    const { body } = await askAdmin(`${envoy.adminUrl}/stats?filter=workers_started$`);
    return / 1\b/.test(body);
  });
  const { body } = await askAdmin(`${envoy.adminUrl}/listeners?format=json`);
  const { listener_statuses: all } = JSON.parse(body);
  const own = all.find(({ name }: { name: string }) => name === LISTENER);
  return own.local_address.socket_address.port_value;
}

/** Looks until it is so. @throws WeftError if Envoy ends, or time is up */
async function until(
  envoy: EnvoyProcess,
  what: string,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + ANSWER_MS_MAX;
  const { child } = envoy;
  for (;;) {
    try {
      if (await isSo()) return;
    } catch {
      // The admin page is gone: if Envoy is too, that is told below.
    }
    if (child.exitCode !== null || child.signalCode !== null) {
      const message = `Envoy ended with ${await envoy.exited} before ${what}`;
      throw new WeftError("unavailable", "agent.envoy_failed", message);
    }
    await setTimeout(LOOK_MS);
    if (performance.now() > deadline) {
      const seconds = ANSWER_MS_MAX / 1_000;
      const message = `${seconds} s have brought no sign of ${what}`;
      throw new WeftError("unavailable", "agent.envoy_failed", message);
    }
  }
}

function digestOf(wasm: Uint8Array): string {
  return createHash("sha256").update(wasm).digest("hex").slice(0, 12);
}
