import { Code, ConnectError } from "@connectrpc/connect";
import { WeftError } from "@weft/core/error";
import { ErrorDetailSchema } from "@weft/proto/weft/control/v1/control_pb.ts";
import { type ExitCode, exitOf } from "./exit.ts";
import { type Failure, type SourceText, sayFailure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** An error about texts of the user's, which are shown with it. */
export class LocatedError extends Error {
  override readonly name = "LocatedError";
  readonly sources: readonly SourceText[];

  constructor(cause: unknown, sources: readonly SourceText[]) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.sources = sources;
  }
}

/** Says an error on stderr, and answers what the program ends with. */
export function sayError(terminal: Terminal, error: unknown): ExitCode {
  const located = error instanceof LocatedError;
  const cause = located ? error.cause : error;
  const { failure, exit } = judge(cause);
  sayFailure(terminal, failure, located ? error.sources : []);
  if (process.env["WEFT_DEBUG"] === "1" && cause instanceof Error) terminal.say(cause.stack ?? "");
  return exit;
}

interface Judgement {
  readonly failure: Failure;
  readonly exit: ExitCode;
}

function judge(error: unknown): Judgement {
  if (error instanceof WeftError) {
    const { number, rawMessage: message, help, findings, code } = error;
    return { failure: { number, message, help, findings }, exit: exitOf(code) };
  }
  if (error instanceof ConnectError) return judgeAnswer(error);
  const message = error instanceof Error ? error.message : String(error);
  return judge(new WeftError("unavailable", "cli.failed", message));
}

/** An error that the control plane answered, or that kept it from answering. */
function judgeAnswer(error: ConnectError): Judgement {
  const [detail] = error.findDetails(ErrorDetailSchema);
  if (detail !== undefined) {
    const { number, help, findings, code } = detail;
    const message = error.rawMessage.replace(`${code}: `, "");
    return { failure: { number, message, help, findings }, exit: exitOf(code) };
  }
  switch (error.code) {
    case Code.DeadlineExceeded:
      return judge(new WeftError("unavailable", "cli.timed_out", "no answer in time"));
    case Code.Unavailable:
    case Code.Aborted: {
      const reason = reasonOf(error);
      const message = `the control plane does not answer${reason === "" ? "" : ` (${reason})`}`;
      return judge(new WeftError("unavailable", "cli.unreachable", message));
    }
    default: {
      // Whatever answered speaks HTTP, but knows nothing of our errors.
      const message = `what answers is no control plane (${error.rawMessage})`;
      return judge(new WeftError("unavailable", "cli.unreachable", message));
    }
  }
}

/** The system's own word: ECONNREFUSED, ENOTFOUND. */
function reasonOf({ cause, rawMessage }: ConnectError): string {
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : rawMessage;
}
