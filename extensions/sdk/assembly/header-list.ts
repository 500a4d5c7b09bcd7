import { allocate } from "./arena";
import { Bytes } from "./bytes";
import { GrowingBuffer } from "./growing-buffer";
import { textLength, textStart } from "./text";

/** Pairs of one list; Envoy takes no more than 1024. */
const PAIRS_MAX: i32 = 1024;

/** Room that a list begins with; most are smaller. */
const FIRST_BYTES: i32 = 256;

/** Headers to send: built in one callback, in order, and handed over in it or later. */
@final
export class HeaderList extends GrowingBuffer {
  private count: i32 = 0;

  constructor() {
    // Each pair: two lengths, then the name and the value with a zero after each.
    super(FIRST_BYTES);
  }

  /** Adds a header and answers the list. More than the host takes are left out. */
  add<N, V>(name: N, value: V): HeaderList {
    if (this.count >= PAIRS_MAX) return this;
    const key = textStart<N>(name);
    const keyLength = textLength();
    const text = textStart<V>(value);
    const length = textLength();
    const at = this.reserve(8 + keyLength + length + 2);
    store<u32>(at, keyLength);
    store<u32>(at, length, 4);
    memory.copy(at + 8, key, keyLength);
    store<u8>(at + 8 + keyLength, 0);
    memory.copy(at + 9 + keyLength, text, length);
    store<u8>(at + 9 + keyLength + length, 0);
    this.count++;
    return this;
  }

  /** The list as the host wants it (ABI, "Serialized maps"); empty if nothing is in it. */
  serialize(): Bytes {
    if (this.count == 0) return Bytes.view(0, 0);
    const total = 4 + this.length;
    const to = allocate(total);
    if (to == 0) return Bytes.view(0, 0);
    store<u32>(to, this.count);
    let lengths = to + 4;
    let texts = lengths + 8 * this.count;
    let from = this.start;
    for (let i = 0; i < this.count; i++) {
      const size = load<u32>(from) + load<u32>(from, 4) + 2;
      store<u64>(lengths, load<u64>(from));
      memory.copy(texts, from + 8, size);
      lengths += 8;
      texts += size;
      from += 8 + size;
    }
    return Bytes.view(to, total);
  }
}
