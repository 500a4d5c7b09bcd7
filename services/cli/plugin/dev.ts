import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { sayError } from "../errors.ts";
import { EXIT } from "../exit.ts";
import { addHelpSections } from "../options.ts";
import { stopSignal } from "../stop-signal.ts";
import { createTerminal, type Terminal } from "../terminal.ts";
import { createDevEnvoy, type DevEnvoy, type DevEnvoyOptions } from "./dev-envoy.ts";
import { type Cycle, createLoop, type Loop } from "./dev-loop.ts";
import { type DevFlags, isJson, readDevSettings, readUpstream } from "./dev-settings.ts";
import type { FailurePolicy, Upstream } from "./envoy-config.ts";
import { type BuiltModule, buildFolder, checkFolder, createFolderBuilder } from "./folder.ts";
import { createHostTests, type HostTests } from "./host-tests.ts";
import { watchFolder } from "./watch-folder.ts";

/** Where the plugin serves, if nothing else is said. */
const PORT = 10_000;

/** Where Envoy's own documents have the admin page. */
export const ADMIN_PORT = 9_901;

const WORKERS_MAX = 64;

interface Options extends DevFlags {
  readonly port: number;
  readonly adminPort: number;
  readonly workers: number;
  readonly test: boolean;
  readonly once: boolean;
  readonly logLevel: "debug" | "info" | "warning" | "error";
  readonly output: "table" | "jsonl";
}

export function registerDev(plugin: Command): void {
  const command = plugin
    .command("dev")
    .description("run a plugin in a local Envoy, and swap it at every edit")
    .argument("[folder]", "the plugin's folder", ".")
    .option("--configuration <file|json>", "of the plugin; else that of dev.yaml, or an example")
    .option("--port <port>", "where it serves on loopback; 0 takes a free one", readPort, PORT)
    .option("--admin-port <port>", "the same of Envoy's admin page", readPort, ADMIN_PORT)
    .option("--upstream <host:port>", "who answers requests; else an echo", readAddress)
    .option(
      "--cluster <name=host:port>",
      "whom the plugin may call; NAME=grpc://HOST:PORT for gRPC",
      collectCluster,
    )
    .option("--root-id <id>", "of a module that has several")
    .addOption(
      new Option(
        "--failure-policy <policy>",
        "when it traps; FAIL_RELOAD if nothing says else",
      ).choices(["FAIL_RELOAD", "FAIL_CLOSED", "FAIL_OPEN"] satisfies FailurePolicy[]),
    )
    .option("--workers <count>", "threads of Envoy, each with a VM of its own", readWorkers, 1)
    .option("--no-test", "swap without running the tests of the folder")
    .option("--once", "build, test and serve, and take no notice of edits")
    .addOption(
      new Option("--log-level <level>", "the least of what is shown of the plugin's log")
        .choices(["debug", "info", "warning", "error"])
        .default("info"),
    )
    .addOption(
      new Option("-o, --output <form>", "how to print")
        .choices(["table", "jsonl"])
        .default("table"),
    );
  addHelpSections(command, {
    isOffline: true,
    exits: [EXIT.no, EXIT.badFile, EXIT.missing],
    examples: [
      "weft plugin dev extensions/header-stamp",
      `weft plugin dev . --configuration '{"request":{"x-a":"1"}}' --port 0`,
      "weft plugin dev . --upstream 127.0.0.1:3000 --cluster authz=127.0.0.1:9000",
    ],
  });
  command.action((folder: string) => run(command, folder));
}

async function run(command: Command, folder: string): Promise<void> {
  const stopped = stopSignal();
  checkFolder(folder);
  const options = optionsOf(command);
  const terminal = createTerminal();
  let settings = readDevSettings(folder, options); // a slip at the start ends it
  const failed = Promise.withResolvers<never>();
  await using started = new AsyncDisposableStack();
  const envoy = started.use(createDevEnvoy({ ...options, onLine: lineWriter(terminal) }));
  const tests = options.test ? started.use(createHostTests(folder)) : undefined;
  // Nobody waits for an edit: what comes up is a release.
  const build = options.once ? () => buildFolder(folder) : await createFolderBuilder(folder);
  const report = reporter(terminal, { envoy, form: options.output });
  const testRest = createRest(terminal, { tests, form: options.output, stopped });
  const loop = createLoop<BuiltModule>({
    steps: {
      build,
      test: async (built) => {
        await tests?.quick(built);
        if (options.once) await tests?.rest();
      },
      swap: (built) => {
        settings = readDevSettings(folder, options);
        return envoy.serve(built, settings);
      },
    },
    now: () => performance.now(),
    report: (cycle) => {
      if (options.once && cycle.error !== undefined) return failed.reject(cycle.error);
      report(cycle);
      if (!options.once && cycle.error === undefined) testRest();
    },
  });
  loop.edit(["sources"], performance.now());
  if (!options.once) started.use(watch(loop, { folder, flags: options }));
  void envoy.died.then((error) => failed.reject(error));
  await Promise.race([stopped, failed.promise]);
}

function watch(
  loop: Loop,
  { folder, flags }: { readonly folder: string; readonly flags: DevFlags },
): Disposable {
  const { configuration } = flags;
  const settingFiles =
    configuration !== undefined && !isJson(configuration) ? [resolve(configuration)] : [];
  return watchFolder({ folder, settingFiles, onEdit: (changes, at) => loop.edit(changes, at) });
}

/** Runs the slow tests behind an edit that serves; those of the newest edit count. */
function createRest(
  terminal: Terminal,
  {
    tests,
    form,
    stopped,
  }: {
    readonly tests: HostTests | undefined;
    readonly form: Options["output"];
    readonly stopped: Promise<void>;
  },
): () => void {
  let [wanted, isRunning, isStopped] = [0, false, false];
  // Tests that are cut off are red, and it is no matter.
  void stopped.then(() => {
    isStopped = true;
  });
  async function rest(): Promise<void> {
    const from = performance.now();
    let [hasRun, error] = [true, undefined as unknown];
    try {
      hasRun = (await tests?.rest()) === true;
    } catch (reason) {
      error = reason;
    }
    if (!hasRun || isStopped) return;
    if (error !== undefined) sayError(terminal, error);
    const ms = performance.now() - from;
    if (form === "jsonl") {
      const failure = error === undefined ? {} : { error: messageOf(error) };
      terminal.out(`${JSON.stringify({ isGreen: error === undefined, ms, ...failure })}\n`);
    } else if (error === undefined) terminal.out(`tests → green ${Math.round(ms)} ms\n`);
  }
  return () => {
    wanted += 1;
    if (tests === undefined || isRunning) return;
    isRunning = true;
    void (async () => {
      for (let seen = 0; seen !== wanted; ) {
        seen = wanted;
        await rest();
      }
      isRunning = false;
    })();
  };
}

/** What the plugin says, and what Envoy says about it. */
function lineWriter(terminal: Terminal): DevEnvoyOptions["onLine"] {
  const styles = { critical: "red", error: "red", warning: "yellow" } as const;
  return (level, message, times) => {
    const style = styles[level as keyof typeof styles] ?? "dim";
    const often = times > 1 ? ` (${times} times)` : "";
    const head = terminal.paintError(style, level.padEnd(8));
    for (const [index, line] of `${message}${often}`.split("\n").entries()) {
      terminal.say(`  ${index === 0 ? head : " ".repeat(8)} ${line}`);
    }
  };
}

/** Tells how an edit has ended: what serves on stdout, what is wrong on stderr. */
function reporter(
  terminal: Terminal,
  { envoy, form }: { readonly envoy: DevEnvoy; readonly form: Options["output"] },
): (cycle: Cycle<BuiltModule>) => void {
  let told = "";
  return (cycle) => {
    const { running } = envoy;
    if (form === "jsonl") terminal.out(`${JSON.stringify(eventOf(cycle, running))}\n`);
    if (cycle.error !== undefined) {
      sayError(terminal, cycle.error);
      if (running !== undefined) terminal.say("the plugin before goes on");
      return;
    }
    if (form === "jsonl") return;
    const what = told === "" ? "start" : "edit";
    if (running !== undefined && running.adminUrl !== told) {
      terminal.out(`plugin  ${running.url}\nadmin   ${running.adminUrl}\n`);
      told = running.adminUrl;
    }
    terminal.out(`${outcomeText(what, cycle)}\n`);
  };
}

/** `edit → live 212 ms (build 138, tests 41, swap 19)` */
function outcomeText(what: string, { editMs, ms, isLive }: Cycle<BuiltModule>): string {
  const names = { build: "build", test: "tests", swap: "swap" } as const;
  const steps = Object.entries(ms).map(([step, took]) => {
    return `${names[step as keyof typeof names]} ${Math.round(took)}`;
  });
  const end = isLive ? "live" : ms.swap === undefined ? "green" : "the same";
  return `${what} → ${end} ${Math.round(editMs)} ms (${steps.join(", ")})`;
}

/** The same for programs. */
function eventOf(
  { editMs, ms, isLive, built, error }: Cycle<BuiltModule>,
  running: DevEnvoy["running"],
): object {
  const failure = error === undefined ? {} : { error: messageOf(error) };
  const url = running === undefined ? {} : { url: running.url, admin: running.adminUrl };
  const { build: buildMs, test: testMs, swap: swapMs } = ms;
  return { isLive, editMs, buildMs, testMs, swapMs, sha256: built?.sha256, ...url, ...failure };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function optionsOf(command: Command): Options {
  const { cluster, ...options } = command.opts();
  return { ...(options as Options), ...(cluster === undefined ? {} : { clusters: cluster }) };
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a number from 0 to 65535.");
}

function readWorkers(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= WORKERS_MAX) return count;
  throw new InvalidArgumentError(`Give a number from 1 to ${WORKERS_MAX}.`);
}

function readAddress(text: string): Upstream {
  const upstream = readUpstream(text);
  if (upstream !== null) return upstream;
  throw new InvalidArgumentError("An upstream looks like 127.0.0.1:3000.");
}

function collectCluster(
  text: string,
  clusters: Readonly<Record<string, Upstream>> = {},
): Readonly<Record<string, Upstream>> {
  const [, name, address = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const upstream = readUpstream(address);
  if (name === undefined || upstream === null) {
    throw new InvalidArgumentError("A cluster looks like authz=127.0.0.1:9000.");
  }
  return { ...clusters, [name]: upstream };
}
