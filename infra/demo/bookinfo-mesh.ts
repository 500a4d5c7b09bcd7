import { join } from "node:path";
import { type Agent, startAgent } from "@weft/agent/main";
import { createLogger, type Logger, systemClock } from "@weft/core/runtime";
import type { ControlPlane } from "./control-plane.ts";
import { type Program, startBookinfoProgram } from "./programs.ts";
import {
  bookinfoWorkloads,
  GATEWAY_PORT,
  NAMESPACE,
  SERVICE_PORT,
  type Workload,
} from "./workloads.ts";

/** Ports that every workload's Envoy has on the workload's own address. */
const ADMIN_PORT = 15000;
const HTTP_PROXY_PORT = 15001;

export interface Bookinfo extends AsyncDisposable {
  readonly workloads: readonly Workload[];
  /** Agents by workload name. */
  readonly agents: ReadonlyMap<string, Agent>;
  /** `http://127.10.0.1:8080`. */
  readonly gatewayUrl: string;
}

export interface BookinfoOptions {
  readonly controlPlane: ControlPlane;
  /** First three numbers of the loopback block to live on, such as `127.10.0`. */
  readonly block: string;
  /** Where agents keep sockets and Envoy's files. */
  readonly folder: string;
  readonly envoyPath: string;
  /** Envoys ask here instead of at the control plane's own address. */
  readonly server?: string;
  readonly log?: Logger;
}

/** Starts the bookinfo programs, and an agent with a real Envoy beside each of them. */
export async function startBookinfo(options: BookinfoOptions): Promise<Bookinfo> {
  const started = new AsyncDisposableStack();
  const workloads = bookinfoWorkloads(options.block);
  const agents = new Map<string, Agent>();
  try {
    const { roots, trustDomain } = await options.controlPlane.api.getRoots({});
    await Promise.all(
      workloads.map(async (workload) => {
        const program = await startWorkloadProgram(workload);
        if (program !== undefined) started.use(program);
        const agent = await startWorkloadAgent(workload, {
          ...options,
          rootPem: roots.join("\n"),
          trustDomain,
          appPort: program?.port,
        });
        agents.set(workload.name, started.use(agent));
      }),
    );
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
  return {
    workloads,
    agents,
    gatewayUrl: `http://${options.block}.1:${GATEWAY_PORT}`,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

async function startWorkloadProgram(
  workload: Workload,
): Promise<(Program & { readonly port: number }) | undefined> {
  if (workload.program === undefined) return undefined;
  return startBookinfoProgram(workload.program, {
    VERSION: workload.version,
    HTTP_PROXY_ADDRESS: `${workload.ip}:${HTTP_PROXY_PORT}`,
  });
}

async function startWorkloadAgent(
  workload: Workload,
  options: BookinfoOptions & {
    readonly rootPem: string;
    readonly trustDomain: string;
    readonly appPort: number | undefined;
  },
): Promise<Agent> {
  const { token } = await options.controlPlane.api.createToken({
    namespace: NAMESPACE,
    serviceAccount: workload.serviceAccount,
    mutation: { commandId: crypto.randomUUID(), actor: "demo" },
  });
  const inbound =
    options.appPort === undefined
      ? []
      : [{ port: SERVICE_PORT, endpoint: `127.0.0.1:${options.appPort}` }];
  return startAgent({
    server: options.server ?? options.controlPlane.addresses.xds,
    rootPem: options.rootPem,
    trustDomain: options.trustDomain,
    token,
    name: workload.name,
    namespace: NAMESPACE,
    serviceAccount: workload.serviceAccount,
    labels: workload.labels,
    ip: workload.ip,
    type: workload.type,
    inbound,
    httpProxyPort: HTTP_PROXY_PORT,
    adminPort: ADMIN_PORT,
    envoyPath: options.envoyPath,
    // What is stopped here is a demo or a test: nobody's request is under way.
    stopDrainMs: 0,
    folder: join(options.folder, workload.name),
    clock: systemClock,
    log: options.log ?? createLogger(`agent ${workload.name}`),
  });
}
