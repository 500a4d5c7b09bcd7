/**
 * Memory of the collector's that grows while it is written to; what is built in one callback may
 * be used in a later one.
 */
export abstract class GrowingBuffer {
  private buffer: ArrayBuffer;
  private used: i32 = 0;

  protected constructor(room: i32) {
    this.buffer = new ArrayBuffer(room);
  }

  /** Where the bytes begin; another place after each growth. */
  protected get start(): usize {
    return changetype<usize>(this.buffer);
  }

  /** The memory itself, which lives as long as somebody holds it. */
  protected get memory(): ArrayBuffer {
    return this.buffer;
  }

  /** How many bytes are written. */
  get length(): i32 {
    return this.used;
  }

  /** Room behind what is written, to be written at once. */
  protected reserve(bytes: i32): usize {
    const end = this.used + bytes;
    if (end > this.buffer.byteLength) {
      const grown = new ArrayBuffer(max(end, 2 * this.buffer.byteLength));
      memory.copy(changetype<usize>(grown), changetype<usize>(this.buffer), this.used);
      this.buffer = grown;
    }
    const at = changetype<usize>(this.buffer) + this.used;
    this.used = end;
    return at;
  }
}
