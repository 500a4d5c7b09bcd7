// A real Envoy: its listeners, one for each case, and what plugins say in its log.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { installTools } from "../../../infra/tools.ts";
import type { Case } from "./case.ts";
import type { Place } from "./client.ts";
import { bootstrap, type Cluster, listener } from "./envoy-config.ts";

/** How long to wait for Envoy, and how often to look. */
const WAIT_MS_MAX = 20_000;
export const LOOK_MS = 5;

/** Envoy has died of what it was given. */
export class Died extends Error {
  override readonly name = "Died";
  readonly signal: string;
  constructor(signal: string, what: string) {
    super(`Envoy has died of ${signal}, before ${what}`);
    this.signal = signal;
  }
}

export interface Envoy {
  readonly log: ReturnType<typeof pluginLog>;
  readonly isDead: boolean;
  /** Looks until it is so; throws if it never is, or Died. */
  until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void>;
  /** Puts listeners in place of all before, and answers where those are that it has accepted. */
  listen(cases: readonly Case[], firstAddress: string): Promise<Map<string, Place>>;
  end(): Promise<void>;
}

/** Starts one without listeners. It has one worker, so that what happens has an order. */
export async function startEnvoy(clusters: readonly Cluster[]): Promise<Envoy> {
  const folder = mkdtempSync(join(tmpdir(), "weft-conformance-"));
  const lds = join(folder, "lds.json");
  const config = join(folder, "envoy.json");
  const admin = join(folder, "admin");
  writeFileSync(lds, JSON.stringify({ resources: [] }));
  writeFileSync(config, JSON.stringify(bootstrap(lds, clusters)));
  const args = ["-c", config, "--admin-address-path", admin, "--use-dynamic-base-id"];
  const options = ["--concurrency", "1", "--drain-time-s", "1", "-l", "info"];
  const envoy = spawn(installTools().envoy, [...args, ...options, "--log-format", "%t %v"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const log = pluginLog();
  envoy.stderr.setEncoding("utf8").on("data", log.add);
  const end = async () => {
    await kill(envoy);
    rmSync(folder, { recursive: true, force: true });
  };
  const until: Envoy["until"] = async (isSo, what) => {
    const deadline = performance.now() + WAIT_MS_MAX;
    const look = async () => {
      try {
        return await isSo();
      } catch (error) {
        // Its admin interface goes away with it; whether it did is seen just below.
        if (error instanceof TypeError) return false;
        throw error;
      }
    };
    while (!(await look())) {
      if (envoy.signalCode !== null) throw new Died(envoy.signalCode, what);
      if (performance.now() > deadline) throw new Error(`never came: ${what}`);
      await setTimeout(LOOK_MS);
    }
  };
  const get = async (path: string) =>
    await (await fetch(`http://${readFileSync(admin, "utf8")}${path}`)).text();
  try {
    await until(() => isWritten(admin), "its admin interface");
  } catch (error) {
    await end();
    throw error;
  }
  const names = new Set(clusters.map(({ name }) => name));
  return {
    get isDead() {
      return envoy.signalCode !== null;
    },
    log,
    until,
    end,
    listen: async (cases, firstAddress) => {
      const attempts = await stat(get, "update_attempt");
      const [a, b, c, d] = firstAddress.split(".").map(Number);
      // An address of its own: Envoy hands the sockets of old listeners to new ones of equal address.
      const resources = cases.map((one, i) =>
        listener(one, [a, b, c, (d ?? 0) + i].join("."), names.has(one.id) ? one.id : "upstream"),
      );
      writeFileSync(`${lds}.next`, JSON.stringify({ resources }));
      renameSync(`${lds}.next`, lds);
      await until(async () => (await stat(get, "update_attempt")) > attempts, "the listeners");
      const last = cases.at(-1)?.id;
      if (last === undefined) return new Map();
      let open = new Map<string, Place>();
      await until(async () => {
        open = await places(get);
        return open.has(last);
      }, `the listener ${last}`);
      return open;
    },
  };
}

/** What plugins have said in Envoy's log, by case. */
function pluginLog() {
  const all = new Map<string, { readonly thread: string; readonly text: string }[]>();
  let rest = "";
  return {
    add: (text: string): void => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        // Envoy names the root, the VM and, on streams, the plugin: here all begin with the case.
        // Before there is a plugin it names nothing, and what is said tells its case itself.
        const named = /^(\d+) wasm log ([^\s:+]+)[^:]*: (.*)$/.exec(line);
        const nameless = /^(\d+) wasm log: (([^\s:]+): .*)$/.exec(line);
        const [, thread = "", a = "", b = ""] = named ?? nameless ?? [];
        const [id, said] = named === null ? [b, a] : [a, b];
        if (id === "") continue;
        const lines = all.get(id) ?? [];
        lines.push({ thread, text: said });
        all.set(id, lines);
      }
    },
    of: (id: string) => all.get(id) ?? [],
  };
}

async function kill(envoy: ChildProcess): Promise<void> {
  if (envoy.exitCode !== null || envoy.signalCode !== null) return;
  const exited = once(envoy, "exit");
  envoy.kill("SIGKILL");
  await exited;
}

function isWritten(path: string): boolean {
  try {
    return readFileSync(path, "utf8") !== "";
  } catch {
    return false; // not written yet
  }
}

type Get = (path: string) => Promise<string>;

async function stat(get: Get, name: string): Promise<number> {
  return Number(/: (\d+)/.exec(await get(`/stats?filter=listener_manager.lds.${name}$`))?.[1] ?? 0);
}

interface ListenerStatus {
  readonly name: string;
  readonly local_address: {
    readonly socket_address: { readonly address: string; readonly port_value: number };
  };
}

/** Where Envoy listens, by the listener's name. */
async function places(get: Get): Promise<Map<string, Place>> {
  const { listener_statuses: all = [] } = JSON.parse(await get("/listeners?format=json"));
  return new Map(
    all.map(({ name, local_address: { socket_address } }: ListenerStatus): [string, Place] => {
      return [name, { host: socket_address.address, port: socket_address.port_value }];
    }),
  );
}
