import type { DiagnosticMessage } from "assemblyscript/asc";
import { MEND_MARK } from "../transform/syntax.ts";
import { mendOf } from "./mends.ts";
import type { Sources } from "./sources.ts";

/** Something wrong in a plugin's sources, and what to do about it. */
export interface Diagnostic {
  /** From the plugin's folder on; "" if no file is to blame. */
  readonly file: string;
  /** Both count from 1; 0 if no place is to blame. */
  readonly line: number;
  readonly column: number;
  /** Who complains: `TS…` and `AS…` are the compiler's, `weft` is the SDK's. */
  readonly code: string;
  readonly message: string;
  /** One sentence, or "" where the message says it all. */
  readonly mend: string;
  /** The line, and how many characters of it from `column` on are meant. */
  readonly source: string;
  readonly length: number;
}

/** Complaints shown of a build that fails: the first ones tell, the rest follows from them. */
const SHOWN_MAX = 20;

/** The compiler's number for an error of the transform's. */
const TRANSFORM_CODE = 102;

/** A plugin that cannot be built. Its message shows all diagnostics as text. */
export class BuildError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(folder: string, diagnostics: readonly Diagnostic[], cause?: unknown) {
    const shown = diagnostics.slice(0, SHOWN_MAX).map(textOf);
    const rest = diagnostics.length - shown.length;
    const more = rest > 0 ? [`and ${rest} more`] : [];
    super([`${folder} does not compile:`, ...shown, ...more].join("\n"), { cause });
    this.name = "BuildError";
    this.diagnostics = diagnostics;
  }
}

/** A diagnostic of no place. */
export function generalDiagnostic(message: string, mend = ""): Diagnostic {
  return { file: "", line: 0, column: 0, code: "weft", message, mend, source: "", length: 0 };
}

/** As people read it: place and message, the line with a mark below, the mend. */
function textOf(one: Diagnostic): string {
  const code = one.code === "weft" ? "" : `${one.code} `;
  const place = one.file === "" ? "" : `${one.file}:${one.line}:${one.column}: `;
  const number = String(one.line);
  // A tab is as wide in the line of the mark as above it.
  const before = one.source.slice(0, one.column - 1).replace(/[^\t]/g, " ");
  const mark = `${" ".repeat(number.length)} | ${before}${"^".repeat(Math.max(one.length, 1))}`;
  return [
    `${place}${code}${one.message}`,
    ...(one.source === "" ? [] : [`  ${number} | ${one.source}`, `  ${mark}`]),
    ...(one.mend === "" ? [] : [`  mend: ${one.mend}`]),
  ].join("\n");
}

/** What the compiler complains of, in our words where we have better ones. */
export function diagnosticOf(
  { range, code, message }: DiagnosticMessage,
  sources: Sources,
): Diagnostic {
  const path = range?.source.normalizedPath ?? "";
  const file = path.replace(/^~lib\//, "");
  const text = sources.textOf(path) ?? "";
  const start = range?.start ?? 0;
  const before = text.slice(0, start).split("\n");
  const source = text.split("\n")[before.length - 1] ?? "";
  const column = (before.at(-1) ?? "").length + 1;
  const isOurs = code === TRANSFORM_CODE;
  const [said = "", ownMend = ""] = unwrapped(message).split(MEND_MARK);
  const place = {
    file,
    line: range === null ? 0 : before.length,
    column: range === null ? 0 : column,
    source,
    length: Math.max(0, Math.min((range?.end ?? 0) - start, source.length - column + 1)),
  };
  const around = `${source.slice(0, column - 1)}¦${source.slice(column - 1)}`;
  return {
    ...place,
    code: isOurs ? "weft" : codeName(code),
    message: isOurs ? said : plain(said),
    mend: isOurs && ownMend !== "" ? ownMend : mendOf({ code, message: said, around, file }),
  };
}

/** What the transform says, or the library's ERROR, which the compiler puts in quotes. */
function unwrapped(message: string): string {
  return message.replace(/^User-defined: /, "").replace(/^"(.*)"$/s, "$1");
}

/** The compiler's own codes are short numbers; those from 1000 on are TypeScript's. */
function codeName(code: number): string {
  return code < 1000 ? `AS${code}` : `TS${code}`;
}

/** Names as the author wrote them: '~lib/@weft/sdk/assembly/bytes/Bytes' is Bytes. */
function plain(message: string): string {
  return message
    .replaceAll(/(?<=['<(| :,])(?:~lib|assembly|\.\.)\/[^'<>,)| ]*\/(?=[A-Z])/g, "")
    .replaceAll("'~lib/", "'")
    .replaceAll(/\bString\b/g, "string");
}

/** Without what follows from something else: whoever mends the cause is rid of it. */
export function causesOf(all: readonly Diagnostic[]): Diagnostic[] {
  const unknown = new Set<string>();
  return all.filter((one, i) => {
    const isAt = (other: Diagnostic) =>
      other.file === one.file && other.line === one.line && other.column === one.column;
    const first = all.findIndex(isAt);
    const others = all.filter((other) => other !== one && isAt(other));
    // Of several complaints about one place the one we know a mend for tells most.
    if (one.mend === "" && others.some(({ mend }) => mend !== "")) return false;
    if (
      first < i &&
      (one.mend === "" || all.slice(0, i).some((it) => isAt(it) && it.mend !== ""))
    ) {
      return false;
    }
    const name = /^(?:Cannot find name|Module .* has no exported member) '(.+)'/.exec(one.message);
    if (name?.[1] !== undefined) {
      if (unknown.has(name[1])) return false;
      unknown.add(name[1]);
    }
    const isAlone = all.every(({ code }) => code === one.code);
    // A function whose last statement is wrong seems to end without a value.
    if (one.code === "TS2355") return isAlone;
    const isOfNoType = /'(auto|<object>)'/.test(one.message) && one.mend === "";
    return !isOfNoType || isAlone;
  });
}
