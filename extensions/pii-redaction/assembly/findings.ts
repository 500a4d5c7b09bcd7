import { Kind } from "./kinds";

/** Findings that can be undecided at a time: each takes two bytes at least of what is held back. */
const FINDINGS_MAX: i32 = 192;

/**
 * What was found and is not yet replaced: places in the bytes at hand, in order, without overlap.
 * They are found in the order of their ends, and one that begins no later than those before it
 * holds them: `4111…@example.com` is one address and no card.
 */
@final
export class Findings {
  count: i32 = 0;
  private readonly starts: StaticArray<i32> = new StaticArray<i32>(FINDINGS_MAX);
  private readonly ends: StaticArray<i32> = new StaticArray<i32>(FINDINGS_MAX);
  private readonly kinds: StaticArray<u8> = new StaticArray<u8>(FINDINGS_MAX);
  private readonly bare: StaticArray<bool> = new StaticArray<bool>(FINDINGS_MAX);

  get isFull(): bool {
    return this.count == FINDINGS_MAX;
  }

  /** Adds a finding behind `floor`, before which all is written. */
  add(from: i32, to: i32, kind: Kind, isBare: bool, floor: i32): void {
    let start = max(from, floor);
    let end = to;
    while (this.count > 0 && this.starts[this.count - 1] >= start) {
      end = max(end, this.ends[--this.count]);
    }
    // What overlaps an earlier one is as much personal data: the rest of it goes as well.
    if (this.count > 0) start = max(start, this.ends[this.count - 1]);
    if (start >= end || this.isFull) return;
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.kinds[this.count] = <u8>kind;
    this.bare[this.count++] = isBare && start == from;
  }

  startOf(index: i32): i32 {
    return this.starts[index];
  }

  endOf(index: i32): i32 {
    return this.ends[index];
  }

  kindOf(index: i32): Kind {
    return <Kind>this.kinds[index];
  }

  isBare(index: i32): bool {
    return this.bare[index];
  }

  /** Forgets the first ones, and tells the others that the bytes at hand begin later. */
  advance(done: i32, by: i32): void {
    const rest = this.count - done;
    for (let i = 0; i < rest; i++) {
      this.starts[i] = this.starts[i + done] - by;
      this.ends[i] = this.ends[i + done] - by;
      this.kinds[i] = this.kinds[i + done];
      this.bare[i] = this.bare[i + done];
    }
    this.count = rest;
  }
}
