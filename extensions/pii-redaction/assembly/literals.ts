import { Bytes } from "@weft/sdk/assembly";

/** The state before anything has matched. */
export const IDLE: u32 = 0;

/**
 * Finds any of several texts in one pass (Aho and Corasick, 1975): for each state, which is what
 * of the texts has matched so far, and each byte the next state. Bytes that no text holds share a
 * column.
 */
@final
export class Literals {
  private readonly columns: StaticArray<u8> = new StaticArray<u8>(256);
  private readonly width: i32;
  private readonly next!: StaticArray<u16>;
  /** How many bytes have matched in a state: these may become a finding. */
  private readonly depths!: StaticArray<u16>;
  /** The longest text that ends in a state; 0 if none does. */
  private readonly lengths!: StaticArray<u16>;

  constructor(texts: Bytes[], ignoresCase: bool) {
    let states = 1;
    let width = 1;
    for (let i = 0; i < texts.length; i++) {
      states += texts[i].length;
      for (let j = 0; j < texts[i].length; j++) {
        const byte = ignoresCase ? lowerCased(texts[i].at(j)) : texts[i].at(j);
        if (this.columns[byte] == 0) this.columns[byte] = <u8>(width++);
      }
    }
    if (ignoresCase) {
      for (let byte = 0x41; byte <= 0x5a; byte++) this.columns[byte] = this.columns[byte | 0x20];
    }
    this.width = width;
    this.next = new StaticArray<u16>(states * width);
    this.depths = new StaticArray<u16>(states);
    this.lengths = new StaticArray<u16>(states);
    this.grow(texts);
    this.link(states);
  }

  @inline
  step(state: u32, byte: u32): u32 {
    return unchecked(this.next[state * this.width + unchecked(this.columns[byte])]);
  }

  @inline
  lengthAt(state: u32): i32 {
    return unchecked(this.lengths[state]);
  }

  @inline
  depthOf(state: u32): i32 {
    return unchecked(this.depths[state]);
  }

  /** Makes a state for each beginning of a text. */
  private grow(texts: Bytes[]): void {
    let count = 1;
    for (let i = 0; i < texts.length; i++) {
      let state: u32 = IDLE;
      for (let j = 0; j < texts[i].length; j++) {
        const slot = state * this.width + this.columns[texts[i].at(j)];
        if (this.next[slot] == 0) {
          this.depths[count] = <u16>(j + 1);
          this.next[slot] = <u16>(count++);
        }
        state = this.next[slot];
      }
      this.lengths[state] = <u16>texts[i].length;
    }
  }

  /** Fills the gaps: where a text does not go on, the longest beginning that ends there does. */
  private link(states: i32): void {
    const fallbacks = new StaticArray<u16>(states);
    const order = new Array<u32>();
    order.push(IDLE);
    for (let i = 0; i < order.length; i++) {
      const state = order[i];
      const fallback: u32 = fallbacks[state];
      this.lengths[state] = max(this.lengths[state], this.lengths[fallback]);
      for (let column = 0; column < this.width; column++) {
        const slot = state * this.width + column;
        const child: u32 = this.next[slot];
        const other = state == IDLE ? <u16>IDLE : this.next[fallback * this.width + column];
        if (child == 0) this.next[slot] = other;
        else {
          fallbacks[child] = other;
          order.push(child);
        }
      }
    }
  }
}

@inline
function lowerCased(byte: i32): i32 {
  return <u32>(byte - 0x41) < 26 ? byte | 0x20 : byte;
}
