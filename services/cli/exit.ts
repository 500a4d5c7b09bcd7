import type { Code } from "@weft/core/error";

/** What the command line ends with; the numbers are those of sysexits.h where it has one. */
export const EXIT = {
  ok: 0,
  no: 1,
  failed: 2,
  usage: 64,
  badFile: 65,
  missing: 66,
  unreachable: 69,
  timedOut: 75,
  denied: 77,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: "it is so, or it is done",
  1: "the answer is no",
  2: "it went wrong while running",
  64: "the command line is wrong",
  65: "a file says what it must not",
  66: "no such file, resource or revision",
  69: "the control plane cannot be reached",
  75: "out of time",
  77: "not permitted",
  130: "interrupted",
};

/** Codes that are about what was asked, whatever their first word says. */
const EXIT_OF_CODE: Partial<Record<Code, ExitCode>> = {
  "mesh.unknown_resource": EXIT.missing,
  "mesh.unknown_revision": EXIT.missing,
  "mesh.nothing_to_revert": EXIT.no,
  "mesh.revert_conflict": EXIT.no,
  "control.stale_base": EXIT.no,
  "control.refused": EXIT.badFile,
  "control.bad_request": EXIT.usage,
  "control.denied": EXIT.denied,
  "control.foreign_origin": EXIT.denied,
  "agent.bad_options": EXIT.usage,
  "agent.refused": EXIT.denied,
  "agent.unreachable": EXIT.unreachable,
  "ca.no_root": EXIT.missing,
  "plugin.in_use": EXIT.no,
  "plugin.trapped": EXIT.no,
  "plugin.no_plugin": EXIT.missing,
  "plugin.no_budget": EXIT.missing,
  "plugin.no_tap": EXIT.missing,
  "plugin.red": EXIT.no,
  "proxy.bad_description": EXIT.badFile,
  "cli.usage": EXIT.usage,
  "cli.no_file": EXIT.missing,
  "cli.unreachable": EXIT.unreachable,
  "cli.timed_out": EXIT.timedOut,
  "cli.unknown_topic": EXIT.missing,
  "cli.no_proxy": EXIT.missing,
};

/** The exit code for an error code; of one that this program does not know, by its first word. */
export function exitOf(code: string): ExitCode {
  const known = EXIT_OF_CODE[code as Code];
  if (known !== undefined) return known;
  if (code.startsWith("manifest.") || code.startsWith("plugin.")) return EXIT.badFile;
  if (code.endsWith(".denied")) return EXIT.denied;
  return EXIT.failed;
}

/** How whatever asks a control plane may end. */
const REMOTE_EXITS: readonly ExitCode[] = [EXIT.unreachable, EXIT.timedOut, EXIT.denied];

/** The section of a help page that lists how a command may end. */
export function exitCodesHelp(codes: readonly ExitCode[], isOffline = false): string {
  const shown = [...codes, ...(isOffline ? [] : REMOTE_EXITS), EXIT.interrupted];
  const unique = [...new Set<ExitCode>([EXIT.ok, EXIT.failed, EXIT.usage, ...shown])];
  const lines = unique
    .sort((a, b) => a - b)
    .map((code) => `  ${String(code).padStart(3)}  ${MEANINGS[code]}`);
  return `\nEXIT CODES\n${lines.join("\n")}`;
}
