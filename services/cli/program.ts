import { Command, CommanderError } from "commander";
import { EXIT, type ExitCode } from "./exit.ts";
import { findVerb } from "./find-verb.ts";
import { addGlobalOptions, VALUE_OPTIONS } from "./options.ts";
import { createTerminal } from "./terminal.ts";
import { VERBS } from "./verbs.ts";
import { VERSION } from "./version.ts";

const EPILOGUE = `
START HERE
  weft up                          a control plane on this machine
  weft apply -f mesh.yaml -m why   change the mesh
  weft ps                          see which proxies have it
  weft log                         who changed what, and when; weft rollback takes it back

Every command has a page of its own: weft COMMAND --help`;

/** Runs the command that the arguments name, and answers how the process should end. */
export async function runProgram(args: readonly string[]): Promise<ExitCode> {
  process.once("SIGINT", () => process.exit(EXIT.interrupted));
  // A reader that has seen enough, as `weft log | head`, is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failed);
  });
  const program = createProgram();
  try {
    const verb = findVerb(VERBS, args, VALUE_OPTIONS);
    if (verb === undefined) {
      for (const [name, { summary }] of Object.entries(VERBS)) {
        program.command(name).description(summary);
      }
    } else {
      await VERBS[verb].register(program, args);
    }
    await program.parseAsync([...args], { from: "user" });
    return Number(process.exitCode ?? EXIT.ok) as ExitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const { sayError } = await import("./errors.ts");
    return sayError(createTerminal(), error);
  }
}

function createProgram(): Command {
  const program = new Command("weft")
    .description("Weft, a control plane for Envoy whose state is a log")
    .version(VERSION, "-V, --version", "print the version")
    .enablePositionalOptions()
    .showHelpAfterError("(weft --help lists the commands)")
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "error[WEFT0610]: ")),
    })
    .addHelpText("after", EPILOGUE);
  addGlobalOptions(program);
  if (process.argv.length <= 2) program.action(() => program.outputHelp());
  return program;
}
