/** What a buffer may keep between callbacks; a body in larger pieces is rare. */
const KEPT_BYTES_MAX: usize = 256 << 10;

const FIRST_BYTES: usize = 16 << 10;

/**
 * Memory that grows while it is written to and is used again and again, out of sight of the
 * collector: that one runs only when streams end, and a body may be endless.
 */
@final
export class HeapBuffer {
  start: usize = 0;
  length: usize = 0;
  private room: usize = 0;

  /** Forgets what is written, and gives memory back that is out of the ordinary. */
  clear(): void {
    this.length = 0;
    if (this.room <= KEPT_BYTES_MAX) return;
    heap.free(this.start);
    this.start = 0;
    this.room = 0;
  }

  /** Room behind what is written, to be written at once. */
  reserve(bytes: usize): usize {
    const end = this.length + bytes;
    if (end > this.room) this.grow(end);
    const at = this.start + this.length;
    this.length = end;
    return at;
  }

  write(from: usize, bytes: usize): void {
    memory.copy(this.reserve(bytes), from, bytes);
  }

  writeByte(byte: u8): void {
    store<u8>(this.reserve(1), byte);
  }

  fill(byte: u8, bytes: usize): void {
    memory.fill(this.reserve(bytes), byte, bytes);
  }

  private grow(bytes: usize): void {
    this.room = max(max(bytes, 2 * this.room), FIRST_BYTES);
    this.start = this.start == 0 ? heap.alloc(this.room) : heap.realloc(this.start, this.room);
  }
}
