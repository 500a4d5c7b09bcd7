import { hostname } from "node:os";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { EXIT } from "../exit.ts";
import { addHelpSections } from "../options.ts";
import { ROLES, type Role, type ServeOptions, type Serving, serve } from "../serve.ts";
import { stopSignal } from "../stop-signal.ts";
import { createTerminal } from "../terminal.ts";

export function registerServe(program: Command): void {
  const command = program
    .command("serve")
    .description("run one replica of a control plane against a NATS that runs elsewhere")
    .requiredOption("--nats <url>", "servers, separated by commas");
  addServeOptions(command);
  addHelpSections(command, {
    examples: [
      "weft serve --nats nats://127.0.0.1:4222 --data /var/lib/weft --replica a",
      "weft serve --nats nats://127.0.0.1:4222 --data /var/lib/weft --replica b --roles xds,ca",
    ],
  });
  command.action(async () => {
    const stopped = stopSignal();
    const starting = serve(serveOptions(command, command.opts()["nats"]));
    await holdUntilStopped(command, { starting, stopped });
  });
}

/** Adds what `serve` and `up` share. */
export function addServeOptions(command: Command): Command {
  return command
    .option("--mesh <name>", "name of the mesh", "default")
    .option("--data <folder>", "this machine's part of the mesh", ".weft")
    .option(
      "--replica <name>",
      "names this process among its peers",
      `${hostname()}-${process.pid}`,
    )
    .option("--trust-domain <name>", "of a mesh that begins here", "cluster.local")
    .addOption(
      new Option("--roles <list>", `some of ${ROLES.join(",")}`)
        .default([...ROLES], "all")
        .argParser(readRoles),
    )
    .option("--api <host:port>", "API", "127.0.0.1:8080")
    .option("--xds <host:port>", "xDS and CA over mTLS", "127.0.0.1:15012")
    .option("--xds-plain <host:port>", "xDS in plaintext, loopback only", "127.0.0.1:15010")
    .option("--monitor <host:port>", "health and metrics", "127.0.0.1:15014")
    .option("--api-token-file <path>", "callers of the API must bring the token in it")
    .addOption(
      new Option("-o, --output <form>", "how to say where it serves")
        .choices(["table", "json"])
        .default("table"),
    );
}

export function serveOptions(command: Command, nats: string): ServeOptions {
  const options = command.opts();
  return {
    mesh: options["mesh"],
    roles: options["roles"],
    nats,
    data: resolve(options["data"]),
    trustDomain: options["trustDomain"],
    replica: options["replica"],
    api: options["api"],
    xds: options["xds"],
    xdsPlain: options["xdsPlain"],
    monitor: options["monitor"],
    tokenFile: options["apiTokenFile"],
  };
}

/** How long a start that is called off may take to close what it has opened. */
const CALLED_OFF_MS_MAX = 2_000;

export interface Holding {
  readonly starting: Promise<Serving>;
  /** Of `stopSignal`, called before anything was started. */
  readonly stopped: Promise<void>;
  readonly nats?: string;
}

/** Says where the replica serves, and keeps it until a signal; a second signal ends at once. */
export async function holdUntilStopped(
  command: Command,
  { starting, stopped, nats }: Holding,
): Promise<void> {
  const serving = await Promise.race([starting, stopped]);
  if (serving === undefined) {
    // It may wait for a NATS that is not there: then nothing is half written either.
    const late = setTimeout(() => process.exit(EXIT.interrupted), CALLED_OFF_MS_MAX);
    const closed = starting.then((begun) => begun[Symbol.asyncDispose]());
    await closed.catch(() => {}); // a start that fails has closed what it opened
    clearTimeout(late);
    return;
  }
  const { doors } = serving;
  const terminal = createTerminal();
  if (command.opts()["output"] === "json") {
    terminal.out(`${JSON.stringify({ ...doors, ...(nats === undefined ? {} : { nats }) })}\n`);
  } else {
    const rows = [
      ["api", doors.api],
      ["xds", doors.xds],
      ["health", `${doors.monitor}/ready`],
    ];
    for (const [name = "", where = ""] of rows) {
      if (where !== "") terminal.out(`${name.padEnd(8)}${where}\n`);
    }
  }
  await stopped;
  await serving[Symbol.asyncDispose]();
}

function readRoles(text: string): Role[] {
  const roles = text.split(",").map((each) => each.trim());
  for (const role of roles) {
    if (!(ROLES as readonly string[]).includes(role)) {
      throw new InvalidArgumentError(`There is no role ${role}; there are ${ROLES.join(", ")}.`);
    }
  }
  return [...new Set(roles)] as Role[];
}
