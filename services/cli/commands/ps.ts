import { timestampMs } from "@bufbuild/protobuf/wkt";
import { WeftError } from "@weft/core/error";
import { ListProxiesResponseSchema } from "@weft/proto/weft/control/v1/control_pb.ts";
import {
  type ProxyStatus,
  ProxyStatusSchema,
  type TypeStatus,
} from "@weft/proto/weft/status/v1/proxy_pb.ts";
import type { Command } from "commander";
import { connectApi } from "../api.ts";
import { EXIT } from "../exit.ts";
import {
  addGlobalOptions,
  addHelpSections,
  addOutputOption,
  type Form,
  globalOptions,
} from "../options.ts";
import { type Column, formatAge, formatTime, writeTable } from "../output.ts";
import { printJson, printYaml } from "../print.ts";
import { createTerminal, type Terminal } from "../terminal.ts";

/** Types of resources that have a column of their own in `-o wide`. */
const TYPES = ["CDS", "EDS", "LDS", "RDS", "ECDS"] as const;

export function registerPs(program: Command): void {
  const command = program
    .command("ps")
    .description("list connected proxies: what each has, how old that is, what it refused")
    .argument("[name]", "one proxy in full, by its name or id");
  addGlobalOptions(addOutputOption(command, ["table", "wide", "json", "jsonl", "yaml", "name"]));
  addHelpSections(command, {
    exits: [EXIT.missing],
    examples: ["weft ps", "weft ps -o wide", "weft ps shop-1.default"],
  });
  command.action((name: string | undefined) => ps(command, name));
}

async function ps(command: Command, name: string | undefined): Promise<void> {
  const options = globalOptions(command);
  const response = await connectApi(options).listProxies({});
  const terminal = createTerminal();
  const inNamespace = response.proxies.filter(
    (proxy) => options.namespace === undefined || namespaceOf(proxy) === options.namespace,
  );
  response.proxies = name === undefined ? inNamespace : [findProxy(response.proxies, name)];
  const { proxies, headRevision } = response;
  const form = command.opts()["output"] as Form;
  switch (form) {
    case "json":
      return printJson(terminal, ListProxiesResponseSchema, response);
    case "jsonl":
      for (const each of proxies) printJson(terminal, ProxyStatusSchema, each, "jsonl");
      return;
    case "yaml":
      return printYaml(terminal, ListProxiesResponseSchema, response);
    case "name":
      for (const each of proxies) terminal.out(`${nameOf(each)}\n`);
      return;
    case "table":
    case "wide": {
      const [only] = proxies;
      if (name !== undefined && only !== undefined) return writeProxy(terminal, only, headRevision);
      if (proxies.length === 0) return terminal.say("no proxy is connected");
      const shown = [...columns, ...(form === "wide" ? wideColumns : []), nackColumn];
      return writeTable(terminal, proxies, shown);
    }
  }
}

function findProxy(proxies: readonly ProxyStatus[], name: string): ProxyStatus {
  const found = proxies.filter(
    (each) => each.id === name || nameOf(each) === name || nameOf(each).split(".")[0] === name,
  );
  if (found.length === 1 && found[0] !== undefined) return found[0];
  const message =
    found.length === 0
      ? `no proxy ${name} is connected`
      : `${name} is more than one proxy: ${found.map(nameOf).join(", ")}`;
  throw new WeftError("missing", "cli.no_proxy", message);
}

const columns: readonly Column<ProxyStatus>[] = [
  { title: "NAME", cell: nameOf },
  { title: "TYPE", cell: typeOf },
  { title: "REV", cell: ({ ackedRevision }) => `r${ackedRevision}` },
  { title: "STATE", cell: ({ state }) => state, paint: paintState },
  { title: "AGE", cell: ({ ackedAt }) => ageOf(ackedAt) },
  { title: "ENVOY", cell: ({ envoyVersion }) => envoyVersion },
  { title: "IDENTITY", cell: ({ spiffeId }) => spiffeId },
];

const wideColumns: readonly Column<ProxyStatus>[] = [
  { title: "CONNECTED", cell: ({ connectedAt }) => ageOf(connectedAt) },
  { title: "REPLICA", cell: ({ replica }) => replica },
  { title: "SENT", cell: ({ resourcesSent }) => String(resourcesSent) },
  ...TYPES.map((type) => ({
    title: type,
    cell: ({ types }: ProxyStatus) => summaryOf(types.find((each) => each.type === type)),
  })),
];

const nackColumn: Column<ProxyStatus> = {
  title: "NACK",
  cell: ({ types }) =>
    types
      .filter(({ nack }) => nack !== "")
      .map(({ type, nack }) => `${type}: ${nack}`)
      .join("; "),
  paint: (terminal, _, text) => (text === "-" ? text : terminal.paint("red", text)),
};

/** `12` resources, when they were ACKed, and whether they were refused. */
function summaryOf(type: TypeStatus | undefined): string {
  if (type === undefined) return "";
  return `${type.resources}${type.nack === "" ? "" : "!"} ${ageOf(type.ackedAt)}`;
}

function writeProxy(terminal: Terminal, proxy: ProxyStatus, head: bigint): void {
  const line = (name: string, text: string): void => {
    terminal.out(`${name.padEnd(10)}${text || "-"}\n`);
  };
  line("id", proxy.id);
  line("state", paintState(terminal, proxy, proxy.state));
  line("revision", `r${proxy.ackedRevision} of r${head}`);
  line("envoy", proxy.envoyVersion);
  line("identity", proxy.spiffeId);
  line("replica", proxy.replica);
  const since = proxy.connectedAt;
  line("connected", since === undefined ? "" : formatTime(timestampMs(since)));
  terminal.out("\n");
  writeTable(terminal, proxy.types, [
    { title: "TYPE", cell: ({ type }) => type },
    { title: "RESOURCES", cell: ({ resources }) => String(resources) },
    { title: "ACKED", cell: ({ ackedAt }) => ageOf(ackedAt) },
    { title: "ACKS", cell: ({ acks }) => String(acks) },
    { title: "NACKS", cell: ({ nacks }) => String(nacks) },
    { title: "REFUSED", cell: ({ nackedResources }) => nackedResources.join(" ") },
    { title: "WHY", cell: ({ nack }) => nack },
  ]);
}

function paintState(terminal: Terminal, { state }: ProxyStatus, text: string): string {
  switch (state) {
    case "SYNCED":
      return terminal.paint("green", text);
    case "NACKED":
      return terminal.paint("red", text);
    default:
      return terminal.paint("yellow", text);
  }
}

/** `sidecar~ip~name.namespace~domain` is `name.namespace`; another id is itself. */
function nameOf({ id }: ProxyStatus): string {
  return id.split("~")[2] ?? id;
}

function typeOf({ id }: ProxyStatus): string {
  return id.includes("~") ? (id.split("~")[0] ?? "") : "";
}

function namespaceOf(proxy: ProxyStatus): string {
  return nameOf(proxy).split(".")[1] ?? "";
}

function ageOf(time: ProxyStatus["ackedAt"]): string {
  return time === undefined ? "" : formatAge(Date.now() - timestampMs(time));
}
