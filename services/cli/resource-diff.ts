import type { ResourceDiff } from "@weft/proto/weft/control/v1/control_pb.ts";
import { signOf, subjectOf } from "./changes.ts";
import { toYaml } from "./print.ts";
import type { Terminal } from "./terminal.ts";
import { unifiedDiff } from "./unified-diff.ts";

/** Prints each resource that differs as a unified diff of its YAML. */
export async function writeDiffs(
  terminal: Terminal,
  diffs: readonly ResourceDiff[],
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  for (const { summary, before, after } of diffs) {
    if (summary === undefined) continue;
    const [sign, style] = signOf(summary);
    const subject = subjectOf(summary.ref);
    terminal.out(`${terminal.paint([style, "bold"], `${sign} ${subject}`)}\n`);
    const path = subject.replace(" ", "/");
    terminal.out(`--- ${before === undefined ? "/dev/null" : `${from}/${path}`}\n`);
    terminal.out(`+++ ${after === undefined ? "/dev/null" : `${to}/${path}`}\n`);
    const [old, now] = await Promise.all([yamlOf(before), yamlOf(after)]);
    for (const line of unifiedDiff(old, now)) terminal.out(`${paintLine(terminal, line)}\n`);
    terminal.out("\n");
  }
}

async function yamlOf(manifest: ResourceDiff["before"]): Promise<string> {
  return manifest === undefined ? "" : await toYaml(manifest);
}

function paintLine(terminal: Terminal, line: string): string {
  if (line.startsWith("@@")) return terminal.paint("cyan", line);
  if (line.startsWith("+")) return terminal.paint("green", line);
  if (line.startsWith("-")) return terminal.paint("red", line);
  return line;
}
