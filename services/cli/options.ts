import { hostname, userInfo } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type ExitCode, exitCodesHelp } from "./exit.ts";

/** What a command may print; which of them it can is its own. */
export type Form = "table" | "wide" | "json" | "jsonl" | "yaml" | "name";

/** Options that every command which asks a control plane has. */
export interface GlobalOptions {
  readonly server: string;
  /** Undefined where none was named: a command decides what that means. */
  readonly namespace: string | undefined;
  readonly actor: string;
  readonly tokenFile: string | undefined;
  readonly timeoutMs: number;
}

/** What every mutation takes. */
export interface MutationOptions {
  readonly message: string;
  readonly expectBase: number | undefined;
  readonly dryRun: boolean;
  /** Of an earlier try whose answer was lost; undefined for a new command. */
  readonly commandId?: string | undefined;
}

const SERVER = "http://127.0.0.1:8080";

/** Above the control plane's own limit, so that its answer is heard. */
const TIMEOUT_S = 60;

/** Global options that are followed by a value. */
export const VALUE_OPTIONS: ReadonlySet<string> = new Set([
  "--server",
  "-n",
  "--namespace",
  "--actor",
  "--token-file",
  "--timeout",
]);

/** Adds what may stand before or behind the name of a command. */
export function addGlobalOptions(command: Command): Command {
  return command
    .addOption(new Option("--server <url>", `control plane (WEFT_SERVER, else ${SERVER})`))
    .addOption(new Option("-n, --namespace <name>", "namespace (WEFT_NAMESPACE)"))
    .addOption(new Option("--actor <name>", "who you are, for the log (WEFT_ACTOR)"))
    .addOption(new Option("--token-file <path>", "token of the API (WEFT_TOKEN_FILE)"))
    .addOption(
      new Option("--timeout <seconds>", `wait no longer (${TIMEOUT_S})`).argParser(readSeconds),
    )
    .option("--no-color", "no colours; NO_COLOR says the same");
}

/** The global options of a command: its own, then those before its name, then the environment. */
export function globalOptions(command: Command): GlobalOptions {
  const all: Record<string, unknown> = {};
  for (let each: Command | null = command; each !== null; each = each.parent) {
    for (const [name, value] of Object.entries(each.opts())) all[name] ??= value;
  }
  const text = (name: string, variable: string): string | undefined =>
    (all[name] as string | undefined) ?? (process.env[variable] || undefined);
  return {
    server: text("server", "WEFT_SERVER") ?? SERVER,
    namespace: text("namespace", "WEFT_NAMESPACE"),
    actor: text("actor", "WEFT_ACTOR") ?? `${userName()}@${hostname()}`,
    tokenFile: text("tokenFile", "WEFT_TOKEN_FILE"),
    timeoutMs: ((all["timeout"] as number | undefined) ?? TIMEOUT_S) * 1000,
  };
}

/** Adds the options of a mutation. */
export function addMutationOptions(command: Command): Command {
  return command
    .option("-m, --message <why>", "why, for the log")
    .addOption(
      new Option("--expect-base <revision>", "refuse unless this is the head").argParser(
        readRevision,
      ),
    )
    .option("--command-id <id>", "repeat a command whose answer was lost; it is done once")
    .option("--dry-run", "say what would change, and change nothing")
    .option("-y, --yes", "do not ask; Weft asks nothing yet, so that scripts may say so already");
}

export function mutationOptions(command: Command): MutationOptions {
  const { message, expectBase, dryRun, commandId } = command.opts();
  return { message: message ?? "", expectBase, dryRun: dryRun ?? false, commandId };
}

/** Adds `-o`; the first form is the default. */
export function addOutputOption(command: Command, forms: readonly [Form, ...Form[]]): Command {
  return command.addOption(
    new Option("-o, --output <form>", "how to print").choices([...forms]).default(forms[0]),
  );
}

interface HelpSections {
  readonly exits?: ExitCode[];
  readonly examples: readonly string[];
  /** Whether it asks no control plane, which could not be there. */
  readonly isOffline?: boolean;
}

/** The sections at the end of a help page. */
export function addHelpSections(
  command: Command,
  { exits = [], examples, isOffline = false }: HelpSections,
): Command {
  const lines = examples.map((example) => `  ${example}`).join("\n");
  return command.addHelpText("after", `${exitCodesHelp(exits, isOffline)}\n\nEXAMPLES\n${lines}`);
}

/** `r12` or `12`. */
export function readRevision(text: string): number {
  const digits = /^r?(\d{1,15})$/.exec(text)?.[1];
  if (digits === undefined) throw new InvalidArgumentError("A revision looks like r12.");
  return Number(digits);
}

/** `90s`, `15m`, `2h`; seconds where no unit stands. */
export function readDurationSeconds(text: string): number {
  const [, digits, unit] = /^(\d{1,9})([smh]?)$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError("A duration looks like 90s, 15m or 2h.");
  return Number(digits) * (unit === "h" ? 3600 : unit === "m" ? 60 : 1);
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 3600) return seconds;
  throw new InvalidArgumentError("Give seconds, more than 0 and at most 3600.");
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "somebody"; // a user without an entry in the system's list, as in many containers
  }
}
