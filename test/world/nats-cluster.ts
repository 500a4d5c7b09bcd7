import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installTools } from "../../infra/tools.ts";

const SERVERS = ["n1", "n2", "n3"] as const;

/** Three real nats-servers in one cluster on 127.0.0.1; a stream may have three copies there. */
export interface NatsCluster extends AsyncDisposable {
  readonly urls: readonly string[];
  /** Sends a signal to the server of this name, as stream information names its leader. */
  signal(name: string, signal: NodeJS.Signals): void;
}

/** Starts the cluster. It takes a moment to elect its leader: the first requests have to be repeated. */
export async function startNatsCluster(): Promise<NatsCluster> {
  const folder = mkdtempSync(join(tmpdir(), "weft-nats-cluster-"));
  const ports = await freePorts(SERVERS.length * 2);
  const routes = ports.slice(SERVERS.length).map((port) => `"nats://127.0.0.1:${port}"`);
  const children = new Map<string, ChildProcess>();
  for (const [index, name] of SERVERS.entries()) {
    const config = join(folder, `${name}.conf`);
    const store = JSON.stringify(join(folder, name));
    writeFileSync(
      config,
      [
        `server_name: ${name}`,
        `listen: "127.0.0.1:${ports[index]}"`,
        `jetstream { store_dir: ${store}, sync_interval: always }`,
        `cluster { name: test, listen: "127.0.0.1:${ports[SERVERS.length + index]}"`,
        `  routes: [${routes.join(", ")}] }`,
      ].join("\n"),
    );
    children.set(name, spawn(installTools().natsServer, ["-c", config], { stdio: "ignore" }));
  }
  return {
    urls: ports.slice(0, SERVERS.length).map((port) => `nats://127.0.0.1:${port}`),
    signal: (name, signal) => void children.get(name)?.kill(signal),
    async [Symbol.asyncDispose]() {
      for (const child of children.values()) {
        const exited = once(child, "exit");
        if (child.exitCode === null && child.signalCode === null) {
          child.kill("SIGKILL");
          await exited;
        }
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
