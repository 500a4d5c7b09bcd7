import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Where a command speaks: stdout carries what was asked for, stderr all that is said about it. */
export interface Terminal {
  /** Data, as it is. */
  out(text: string): void;
  /** A line for people. */
  say(line: string): void;
  /** Colour for what goes to stdout, if that is a terminal that wants it. */
  paint(style: Style, text: string): string;
  /** The same for stderr. */
  paintError(style: Style, text: string): string;
  /** Columns of the terminal; undefined where stdout is none. */
  readonly columns: number | undefined;
}

/** `--no-color`, NO_COLOR and a dumb terminal take colour away; FORCE_COLOR gives it. */
export function createTerminal(): Terminal {
  const { env, stdout, stderr } = process;
  const plain =
    process.argv.includes("--no-color") || (env["TERM"] === "dumb" && !env["FORCE_COLOR"]);
  const painter = (stream: NodeJS.WriteStream) => (style: Style, text: string) =>
    plain ? text : styleText(style, text, { stream });
  return {
    out: (text) => void stdout.write(text),
    say: (line) => void stderr.write(`${line}\n`),
    paint: painter(stdout),
    paintError: painter(stderr),
    columns: stdout.isTTY ? stdout.columns : undefined,
  };
}
