import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { installTools } from "../../../infra/tools.ts";
import type { Case } from "./case.ts";
import { assembleProbe } from "./probe.ts";

/** Cases whose listeners stand at a time: each has four VMs of about a megabyte. */
const BATCH = 40;

/** How long to wait for Envoy, and how often to look. */
const WAIT_MS_MAX = 20_000;
const LOOK_MS = 10;

/** After which a client that has got nothing says so. */
const ANSWER_MS_MAX = 1_500;

/** The case that shows, by its line in the log, that all before it have ended. */
const FENCE: Case = {
  id: "fence",
  title: "the end of a batch",
  probe: { on: { proxy_on_log: { steps: [{ say: ["end"] }] } } },
};

/** Runs cases in one real Envoy, some listeners at a time, and answers what each shows. */
export async function driveEnvoy(cases: readonly Case[]): Promise<Map<string, string[]>> {
  const all = cases.filter(({ killsEnvoy }) => killsEnvoy !== true);
  const folder = mkdtempSync(join(tmpdir(), "weft-conformance-"));
  const upstream = await startUpstream();
  const lds = join(folder, "lds.json");
  writeFileSync(lds, JSON.stringify({ resources: [] }));
  const config = join(folder, "envoy.json");
  writeFileSync(config, JSON.stringify(bootstrap(lds, (upstream.address() as AddressInfo).port)));
  const admin = join(folder, "admin");
  const args = ["-c", config, "--admin-address-path", admin, "--use-dynamic-base-id"];
  const log = ["--concurrency", "1", "--drain-time-s", "1", "-l", "info", "--log-format", "%t %v"];
  const envoy = spawn(installTools().envoy, [...args, ...log], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let written = "";
  envoy.stderr.setEncoding("utf8").on("data", (text: string) => {
    written += text;
  });
  try {
    await until(() => isWritten(admin), "Envoy's admin interface");
    const get = async (path: string) =>
      await (await fetch(`http://${readFileSync(admin, "utf8")}${path}`)).text();
    const results = new Map<string, string[]>();
    for (let at = 0; at < all.length; at += BATCH) {
      const fence = { ...FENCE, id: `fence-${at}` };
      const batch = [...all.slice(at, at + BATCH), fence];
      const attempts = await stat(get, "update_attempt");
      writeFileSync(
        `${lds}.next`,
        JSON.stringify({ resources: batch.map((one, i) => listener(one, addressOf(at, i))) }),
      );
      renameSync(`${lds}.next`, lds);
      await until(async () => (await stat(get, "update_attempt")) > attempts, "the listeners");
      await until(async () => (await ports(get)).has(fence.id), "the fence");
      const open = await ports(get);
      const clients = new Map<string, string>();
      for (const one of batch.slice(0, -1)) {
        const place = open.get(one.id);
        clients.set(one.id, place === undefined ? "refused" : await ask(place, one));
      }
      await ask(open.get(fence.id) ?? { host: "", port: 0 }, fence);
      await until(() => written.includes(`${fence.id}: end`), "the end of the batch");
      const worker = new RegExp(`^(\\d+) wasm log ${fence.id}.*: end$`, "m").exec(written)?.[1];
      for (const { id } of batch.slice(0, -1)) {
        const client = clients.get(id) ?? "";
        // Envoy names the root, the VM and, on streams, the plugin: here all are the case's id.
        const lines = written.split("\n").flatMap((line) => {
          const [head = "", ...rest] = line.split(`${id}: `);
          return head.startsWith(`${worker} wasm log ${id} `) ? [rest.join(`${id}: `)] : [];
        });
        results.set(id, client === "refused" ? ["refused"] : [...lines, `client ${client}`]);
      }
    }
    return results;
  } finally {
    await end(envoy);
    upstream.close();
    upstream.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Looks until it is so; throws if it never is. */
async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`never came: ${what}`);
    await setTimeout(LOOK_MS);
  }
}

async function end(envoy: ChildProcess): Promise<void> {
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

async function stat(get: (path: string) => Promise<string>, name: string): Promise<number> {
  return Number(/: (\d+)/.exec(await get(`/stats?filter=listener_manager.lds.${name}$`))?.[1] ?? 0);
}

async function ports(get: (path: string) => Promise<string>): Promise<Map<string, Place>> {
  const { listener_statuses: all = [] } = JSON.parse(await get("/listeners?format=json"));
  return new Map(
    all.map(({ name, local_address: { socket_address } }: ListenerStatus): [string, Place] => {
      return [name, { host: socket_address.address, port: socket_address.port_value }];
    }),
  );
}

interface Place {
  readonly host: string;
  readonly port: number;
}

interface ListenerStatus {
  readonly name: string;
  readonly local_address: {
    readonly socket_address: { readonly address: string; readonly port_value: number };
  };
}

/** Answers every request as our host's script does. */
async function startUpstream(): Promise<Server> {
  const server = createServer((message, response) => {
    let body = "";
    message.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    message.on("end", () => {
      const raw = message.rawHeaders;
      const own = raw.flatMap((name, i) =>
        i % 2 === 0 && name.startsWith("x-t-") ? [`${name}=${raw[i + 1]}`] : [],
      );
      const saw = own.length === 0 ? {} : { "x-saw": own.join(";") };
      response.writeHead(200, { "content-type": "text/plain", ...saw });
      response.end(`upstream${body}`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Sends a case's request and answers what comes back, as our host's driver writes it. */
async function ask({ host, port }: Place, { request: asked = {} }: Case): Promise<string> {
  const { headers = [], body } = asked;
  const method = body === undefined ? "GET" : "POST";
  const length = body === undefined ? [] : ["content-length", String(Buffer.byteLength(body))];
  const all = ["host", "probe", "connection", "close", ...length, ...headers.flat()];
  return await new Promise((done) => {
    const options = { host, port, path: "/path?query", method, headers: all };
    const client = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      const finish = () => {
        const shown = ["x-saw", "x-added"].flatMap((name) => response.headers[name] ?? []);
        done([response.statusCode, text, ...shown].join(" "));
      };
      response.on("end", finish).on("error", () => done("reset"));
    });
    client.setTimeout(ANSWER_MS_MAX, () => {
      done("nothing");
      client.destroy();
    });
    client.on("error", () => done("reset"));
    client.end(body);
  });
}

const any = (type: string, value: object) => ({
  "@type": `type.googleapis.com/envoy.extensions.${type}`,
  ...value,
});

/** An address of its own: Envoy hands the sockets of old listeners to new ones of equal address. */
const addressOf = (batch: number, index: number) => `127.0.${1 + batch / BATCH}.${1 + index}`;

function listener({ id, probe, configuration = "" }: Case, address: string) {
  const code = Buffer.from(assembleProbe(probe)).toString("base64");
  const plugin = {
    name: id,
    root_id: id,
    vm_config: {
      vm_id: id,
      runtime: "envoy.wasm.runtime.v8",
      code: { local: { inline_bytes: code } },
    },
    configuration: {
      "@type": "type.googleapis.com/google.protobuf.StringValue",
      value: configuration,
    },
  };
  const route = { match: { prefix: "/" }, route: { cluster: "upstream", timeout: "0s" } };
  const manager = any("filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: "probe",
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [route] }] },
    http_filters: [
      { name: "wasm", typed_config: any("filters.http.wasm.v3.Wasm", { config: plugin }) },
      { name: "router", typed_config: any("filters.http.router.v3.Router", {}) },
    ],
  });
  return {
    "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
    name: id,
    address: { socket_address: { address, port_value: 0 } },
    filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
  };
}

function bootstrap(lds: string, upstreamPort: number) {
  const address = (port: number) => ({
    address: { socket_address: { address: "127.0.0.1", port_value: port } },
  });
  const endpoints = [{ lb_endpoints: [{ endpoint: address(upstreamPort) }] }];
  return {
    node: { id: "conformance", cluster: "test" },
    admin: address(0),
    dynamic_resources: {
      lds_config: { path_config_source: { path: lds }, resource_api_version: "V3" },
    },
    static_resources: {
      clusters: [
        {
          name: "upstream",
          type: "STATIC",
          connect_timeout: "1s",
          load_assignment: { cluster_name: "upstream", endpoints },
        },
      ],
    },
  };
}
