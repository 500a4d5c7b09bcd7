import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { installTools } from "../../infra/tools.ts";

/** How long Envoy may take to compile and start all plugins, and how often to look. */
const WAIT_MS_MAX = 120_000;
const LOOK_MS = 20;

/** Stands before each line of the log, since what a plugin says may have several. */
const MARK = "\u001e";

/** A filter of Envoy's, as JSON: its name and its typed_config. */
export type Filter = Readonly<Record<string, unknown>>;

export interface FilterEnvoyOptions {
  /** HTTP filters by the name of the listener that has them; the router is put behind them. */
  readonly chains: ReadonlyMap<string, readonly Filter[]>;
  /** Ports on loopback by the name of the cluster; requests go to `upstream`. */
  readonly clusters?: Readonly<Record<string, number>>;
  /** What Envoy answers to every request itself, behind the filters, in place of an upstream. */
  readonly answer?: string;
  /** Of the component that runs plugins: "trace" to "off". */
  readonly wasmLogLevel?: string;
}

/** One real Envoy with one worker, and a listener for each chain of HTTP filters. */
export interface FilterEnvoy {
  readonly pid: number;
  /** Where a chain listens; undefined if Envoy has refused it. */
  port(chain: string): number | undefined;
  /** What it has logged so far. */
  lines(): readonly EnvoyLine[];
  admin(path: string): Promise<string>;
  close(): Promise<void>;
}

export interface EnvoyLine {
  readonly thread: string;
  readonly level: string;
  readonly text: string;
}

export const extension = (type: string, value: object = {}) => ({
  "@type": `type.googleapis.com/envoy.extensions.${type}`,
  ...value,
});

export interface WasmFilterOptions {
  /** Names the plugin, its root and its VM. */
  readonly id: string;
  /** Where the module lies. */
  readonly path: string;
  readonly configuration?: string;
  readonly rootId?: string;
}

/** The filter that runs a module, with a VM of its own. */
export function wasmFilter({
  id,
  path,
  configuration = "",
  rootId = id,
}: WasmFilterOptions): Filter {
  const string = "type.googleapis.com/google.protobuf.StringValue";
  const config = {
    name: id,
    root_id: rootId,
    vm_config: {
      vm_id: id,
      runtime: "envoy.wasm.runtime.v8",
      code: { local: { filename: path } },
    },
    configuration: { "@type": string, value: configuration },
  };
  return { name: "wasm", typed_config: extension("filters.http.wasm.v3.Wasm", { config }) };
}

export async function startFilterEnvoy(options: FilterEnvoyOptions): Promise<FilterEnvoy> {
  const folder = mkdtempSync(join(tmpdir(), "weft-envoy-"));
  const [config, lds, admin] = ["envoy.json", "lds.json", "admin"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const route =
    options.answer === undefined
      ? { route: { cluster: "upstream", timeout: "0s" } }
      : { direct_response: { status: 200, body: { inline_string: options.answer } } };
  const resources = [...options.chains].map(([name, filters]) => listener(name, filters, route));
  writeFileSync(lds, JSON.stringify({ resources }));
  writeFileSync(config, JSON.stringify(bootstrap(lds, options.clusters ?? {})));
  const format = ["--log-format", `${MARK}%t %l %v`];
  const levels = [
    "-l",
    "warning",
    "--component-log-level",
    `wasm:${options.wasmLogLevel ?? "off"}`,
  ];
  const args = ["-c", config, "--admin-address-path", admin, "--use-dynamic-base-id"];
  const envoy = spawn(installTools().envoy, [...args, ...format, ...levels, "--concurrency", "1"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let written = "";
  envoy.stderr.setEncoding("utf8").on("data", (text: string) => {
    written += text;
  });
  const get = async (path: string) =>
    await (await fetch(`http://${readFileSync(admin, "utf8")}${path}`)).text();
  const close = async () => {
    await end(envoy);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(envoy, async () => /^LIVE/.test(await get("/ready")));
    const ports = await portsOf(get);
    return {
      pid: envoy.pid ?? 0,
      port: (chain) => ports.get(chain),
      lines: () => written.split(MARK).slice(1).map(lineOf),
      admin: get,
      close,
    };
  } catch (cause) {
    await close();
    throw new Error(`Envoy does not start:\n${written}`, { cause });
  }
}

function lineOf(text: string): EnvoyLine {
  const [, thread = "", level = "", said = ""] = /^(\S+) (\S+) (.*)$/s.exec(text) ?? [];
  return { thread, level, text: said.replace(/\n$/, "") };
}

/** Looks until it is so; throws if it never is. */
async function until(envoy: ChildProcess, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (!(await isSo().catch(() => false))) {
    if (envoy.exitCode !== null || envoy.signalCode !== null) throw new Error("it has ended");
    if (performance.now() > deadline) throw new Error("it takes too long");
    await setTimeout(LOOK_MS);
  }
}

async function end(envoy: ChildProcess): Promise<void> {
  if (envoy.exitCode !== null || envoy.signalCode !== null) return;
  const exited = once(envoy, "exit");
  envoy.kill("SIGKILL");
  await exited;
}

async function portsOf(get: (path: string) => Promise<string>): Promise<Map<string, number>> {
  const { listener_statuses: all = [] } = JSON.parse(await get("/listeners?format=json"));
  return new Map(
    all.map(({ name, local_address: { socket_address } }: ListenerStatus): [string, number] => [
      name,
      socket_address.port_value,
    ]),
  );
}

interface ListenerStatus {
  readonly name: string;
  readonly local_address: { readonly socket_address: { readonly port_value: number } };
}

const loopback = (port: number) => ({
  address: { socket_address: { address: "127.0.0.1", port_value: port } },
});

/** Adds nothing to a message but what filters add, so that what they see can be told. */
function listener(name: string, filters: readonly Filter[], action: object) {
  const route = { match: { prefix: "/" }, ...action };
  const router = extension("filters.http.router.v3.Router", { suppress_envoy_headers: true });
  const manager = extension("filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: name,
    generate_request_id: false,
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [route] }] },
    http_filters: [...filters, { name: "router", typed_config: router }],
  });
  return {
    "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
    name,
    ...loopback(0),
    filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
  };
}

function bootstrap(lds: string, clusters: Readonly<Record<string, number>>) {
  return {
    node: { id: "filters", cluster: "test" },
    admin: loopback(0),
    dynamic_resources: {
      lds_config: { path_config_source: { path: lds }, resource_api_version: "V3" },
    },
    static_resources: {
      clusters: Object.entries(clusters).map(([name, port]) => ({
        name,
        type: "STATIC",
        connect_timeout: "1s",
        load_assignment: {
          cluster_name: name,
          endpoints: [{ lb_endpoints: [{ endpoint: loopback(port) }] }],
        },
      })),
    },
  };
}
