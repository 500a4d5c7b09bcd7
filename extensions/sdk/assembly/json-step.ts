import { ByteWriter } from "./byte-writer";
import { Bytes } from "./bytes";

/** An open object or array, on the way to what a reader of JSON stands at. */
@final
export class JsonStep {
  /** How many are open with this one. */
  readonly depth: i32;
  /** The member it stands at, in an object. */
  name: Bytes = Bytes.of("");
  /** Whether it stands at an item, or at a member that has a name, and not between two. */
  isNamed: bool = false;

  constructor(
    readonly outer: JsonStep | null,
    /** The items of an array so far; -1 of an object. */
    public items: i32,
  ) {
    this.depth = outer == null ? 1 : outer.depth + 1;
  }
}

/** Writes the way to where the innermost step stands, as `rules[2].percent`. */
export function tellPath(out: ByteWriter, step: JsonStep): void {
  const outer = step.outer;
  if (outer != null) tellPath(out, outer);
  if (!step.isNamed) return;
  if (step.items >= 0) out.byte(0x5b).integer(step.items - 1).byte(0x5d);
  else {
    if (out.length > 0) out.byte(0x2e);
    out.text(step.name);
  }
}
