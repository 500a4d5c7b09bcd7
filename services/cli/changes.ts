import {
  type ChangeSummary,
  ChangeSummary_Operation,
} from "@weft/proto/weft/control/v1/control_pb.ts";
import type { ResourceRef } from "@weft/proto/weft/mesh/v1/manifest_pb.ts";
import { count } from "./output.ts";
import type { Terminal } from "./terminal.ts";

/** How a change is drawn: its sign and its colour. */
const SIGNS: Readonly<
  Record<ChangeSummary_Operation, readonly [string, "green" | "yellow" | "red" | "dim"]>
> = {
  [ChangeSummary_Operation.UNSPECIFIED]: ["?", "dim"],
  [ChangeSummary_Operation.CREATE]: ["+", "green"],
  [ChangeSummary_Operation.UPDATE]: ["~", "yellow"],
  [ChangeSummary_Operation.DELETE]: ["-", "red"],
  [ChangeSummary_Operation.UNCHANGED]: ["=", "dim"],
};

/** The sign of a change and the colour it is drawn in. */
export function signOf({ operation }: ChangeSummary): (typeof SIGNS)[ChangeSummary_Operation] {
  return SIGNS[operation] ?? SIGNS[ChangeSummary_Operation.UNSPECIFIED];
}

/** `VirtualService default/reviews`; without a slash where the kind has no namespace. */
export function subjectOf(ref: ResourceRef | undefined): string {
  if (ref === undefined) return "?";
  return `${ref.kind} ${ref.namespace === "" ? "" : `${ref.namespace}/`}${ref.name}`;
}

/** What a mutation did, for people: each change, the revision, and how to take it back. */
export function writeOutcome(
  terminal: Terminal,
  {
    revision,
    changes,
    dryRun,
  }: {
    readonly revision: bigint;
    readonly changes: readonly ChangeSummary[];
    readonly dryRun: boolean;
  },
): void {
  for (const change of changes) {
    const [sign, style] = signOf(change);
    terminal.out(`${terminal.paint(style, sign)} ${subjectOf(change.ref)}\n`);
  }
  const changed = changes.filter(
    ({ operation }) => operation !== ChangeSummary_Operation.UNCHANGED,
  ).length;
  if (dryRun) {
    terminal.out(`dry run on r${revision}: ${count(changed, "change")}, nothing was written\n`);
  } else if (changed === 0) {
    terminal.out(`r${revision}: nothing to change\n`);
  } else {
    terminal.out(`${terminal.paint("bold", `r${revision}`)}: ${count(changed, "change")}\n`);
    terminal.say(`undo: weft rollback r${revision}`);
  }
}
