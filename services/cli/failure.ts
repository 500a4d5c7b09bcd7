import { type Finding, Finding_Severity } from "@weft/proto/weft/control/v1/control_pb.ts";
import type { Terminal } from "./terminal.ts";

/** A text that findings point into. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/** What people are told of an error: at most four parts, what, where, how it looks, what to do. */
export interface Failure {
  /** `WEFTnnnn`. */
  readonly number: string;
  readonly message: string;
  readonly help: string;
  readonly findings: readonly Finding[];
}

/** Findings shown in full; whoever has more to mend starts with these. */
const FINDINGS_SHOWN_MAX = 20;

/** Columns of a line of the user's that are shown; longer ones are cut around the place. */
const EXCERPT_COLUMNS_MAX = 100;

/** Says an error on stderr. The findings come first: they say what to do. */
export function sayFailure(
  terminal: Terminal,
  failure: Failure,
  sources: readonly SourceText[] = [],
): void {
  sayFindings(terminal, failure.findings, sources);
  const title = `error${failure.number === "" ? "" : `[${failure.number}]`}`;
  terminal.say(`${terminal.paintError(["red", "bold"], title)}: ${failure.message}`);
  // What is to be done stands beside each place already.
  if (failure.findings.length === 0) sayHelp(terminal, failure.help);
}

/** Says findings on stderr, each with its place in the user's own text. */
export function sayFindings(
  terminal: Terminal,
  findings: readonly Finding[],
  sources: readonly SourceText[],
): void {
  for (const finding of findings.slice(0, FINDINGS_SHOWN_MAX)) {
    sayFinding(terminal, finding, sources);
  }
  const more = findings.length - FINDINGS_SHOWN_MAX;
  if (more > 0) terminal.say(`… and ${more} more`);
}

function sayFinding(terminal: Terminal, finding: Finding, sources: readonly SourceText[]): void {
  const isError = finding.severity === Finding_Severity.ERROR;
  const [word, style] = isError ? (["error", "red"] as const) : (["warning", "yellow"] as const);
  const title = terminal.paintError([style, "bold"], `${word}[${finding.number}]`);
  terminal.say(`${title}: ${finding.message}`);
  const { path, line, column, subject } = finding;
  const place = line === 0 ? path : `${path}:${line}:${column}`;
  const where = [place, subject].filter((part) => part !== "").join("  ");
  if (where !== "") terminal.say(`  ${terminal.paintError("blue", "-->")} ${where}`);
  const source = sources.find((each) => each.path === path);
  for (const row of source === undefined ? [] : excerpt(source.text, line, column)) {
    terminal.say(terminal.paintError(row.isMark ? style : "dim", row.text));
  }
  sayHelp(terminal, finding.help);
}

function sayHelp(terminal: Terminal, help: string): void {
  if (help !== "") terminal.say(`  ${terminal.paintError("cyan", "help:")} ${help}`);
}

interface ExcerptRow {
  readonly text: string;
  readonly isMark: boolean;
}

/** The line at a place, and below it a mark under the word that stands there. */
export function excerpt(text: string, line: number, column: number): ExcerptRow[] {
  const whole = line === 0 ? undefined : text.split(/\r?\n/)[line - 1];
  if (whole === undefined) return [];
  const at = Math.min(Math.max(column, 1), whole.length + 1) - 1;
  const from = at < EXCERPT_COLUMNS_MAX ? 0 : at - EXCERPT_COLUMNS_MAX / 2;
  const shown = whole.slice(from, from + EXCERPT_COLUMNS_MAX).replaceAll("\t", " ");
  const word = /^(?:"[^"]*"|'[^']*'|[^\s,:[\]{}]+)/.exec(shown.slice(at - from))?.[0] ?? "";
  const gutter = String(line).padStart(5);
  const mark = " ".repeat(at - from) + "^".repeat(Math.max(word.length, 1));
  return [
    { text: `${gutter} | ${printable(shown).trimEnd()}`, isMark: false },
    { text: `${" ".repeat(gutter.length)} | ${mark}`, isMark: true },
  ];
}

/** Control characters of a user's file must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "\uFFFD");
}
