import { isIP } from "node:net";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import type { AgentOptions } from "@weft/agent/main";
import { createLogger, systemClock } from "@weft/core/runtime";
import { type Command, InvalidArgumentError, Option, type OptionValues } from "commander";
import { connectApi } from "../api.ts";
import { readText } from "../documents.ts";
import { addGlobalOptions, addHelpSections, globalOptions } from "../options.ts";
import { findProgram } from "../programs.ts";
import { stopSignal } from "../stop-signal.ts";
import { createTerminal } from "../terminal.ts";

/** `port` on the workload's address leads to `endpoint`. */
interface Inbound {
  readonly port: number;
  readonly endpoint: string;
}

export function registerAgent(program: Command): void {
  const command = program
    .command("agent")
    .description("run beside one workload: its key, its certificate, its Envoy")
    .requiredOption("--name <name>", "of the workload, such as shop-1")
    .requiredOption("--ip <address>", "where peers reach it", readAddress)
    .option("--service-account <name>", "who it is", "default")
    .option("--label <key=value>", "of the workload; as often as it has labels", collectLabel, {})
    .option("--inbound <port=endpoint>", "what its Envoy lets in", collectInbound, [])
    .addOption(
      new Option("--type <type>", "sidecar of a program, or router")
        .choices(["sidecar", "router"])
        .default("sidecar"),
    )
    .option("--join-token-file <path>", "join token, for the first certificate (WEFT_TOKEN)")
    .option("--token <token>", "the same in the open: whoever lists processes reads it")
    .option("--xds <host:port>", "xDS and CA of the control plane", "127.0.0.1:15012")
    .option("--root-cert <file>", "roots to trust; else those that the API shows")
    .option("--trust-domain <name>", "of the mesh", "cluster.local")
    .option(
      "--proxy-port <port>",
      "outbound HTTP proxy, on the workload's address",
      readPort,
      15001,
    )
    .option("--admin-port <port>", "Envoy's admin page, on the workload's address", readPort, 15000)
    .option("--folder <path>", "its own folder; .weft/agents/NAME if not named");
  addGlobalOptions(command);
  addHelpSections(command, {
    examples: [
      "export WEFT_TOKEN=$(weft token create --service-account shop -o name)",
      "weft agent --name shop-1 --service-account shop --label app=shop --ip 127.0.7.1 \\",
      "      --inbound 8000=127.0.0.1:3001",
    ],
  });
  command.action(() => run(command));
}

async function run(command: Command): Promise<void> {
  const stopping = new AbortController();
  const stopped = stopSignal().then(() => stopping.abort());
  const { startAgent } = await import("@weft/agent/main");
  const options = command.opts();
  const terminal = createTerminal();
  const token = tokenOf(options);
  const folder = resolve(options["folder"] ?? `.weft/agents/${options["name"]}`);
  const agentOptions: AgentOptions = {
    server: options["xds"],
    rootPem: await rootsOf(command),
    trustDomain: options["trustDomain"],
    name: options["name"],
    namespace: globalOptions(command).namespace ?? "default",
    serviceAccount: options["serviceAccount"],
    labels: options["label"],
    ip: options["ip"],
    type: options["type"],
    inbound: options["inbound"],
    httpProxyPort: options["proxyPort"],
    adminPort: options["adminPort"],
    envoyPath: await findProgram("envoy"),
    folder,
    // A restart proves itself with the certificate it has: tokens work once.
    stateFolder: join(folder, "state"),
    clock: systemClock,
    log: createLogger(`agent ${options["name"]}@${hostname()}`),
    signal: stopping.signal,
    ...token,
  };
  await using agent = await startAgent(agentOptions);
  terminal.out(`${options["name"]} runs; admin at ${agent.adminUrl}\n`);
  await stopped;
}

/** A token on the command line is seen by everybody on the machine; it is taken all the same. */
function tokenOf({ joinTokenFile, token = process.env["WEFT_TOKEN"] }: OptionValues): {
  readonly token?: string;
} {
  if (joinTokenFile !== undefined) return { token: readText(joinTokenFile).trim() };
  return token === undefined ? {} : { token };
}

/** The roots in a file, or those that the API shows: on one machine the API is as trusted as a file. */
async function rootsOf(command: Command): Promise<string> {
  const { rootCert } = command.opts();
  if (rootCert !== undefined) return readText(rootCert);
  const { roots } = await connectApi(globalOptions(command)).getRoots({});
  return roots.join("");
}

function collectLabel(text: string, labels: Record<string, string>): Record<string, string> {
  const [, key, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new InvalidArgumentError("A label looks like app=shop.");
  }
  return { ...labels, [key]: value };
}

function collectInbound(text: string, inbound: readonly Inbound[]): readonly Inbound[] {
  const [, port, endpoint] = /^(\d{1,5})=(\S+:\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || endpoint === undefined) {
    throw new InvalidArgumentError("An inbound port looks like 8000=127.0.0.1:3001.");
  }
  return [...inbound, { port: readPort(port), endpoint }];
}

function readAddress(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new InvalidArgumentError("An address looks like 127.0.7.1.");
}

function readPort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a number from 0 to 65535.");
}
