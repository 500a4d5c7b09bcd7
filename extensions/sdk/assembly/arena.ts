// Memory the host hands over (ABI, "Memory ownership"): the host calls our allocator, writes, and
// the plugin owns the block from then on. Everything received during a callback is linked into one
// list and freed when the callback ends, so that no plugin has to free, or can forget to.
//
// The blocks are raw heap, out of the collector's sight: they neither move nor get collected.

/** In front of each block: the address of the block before it. 16 keeps blocks aligned. */
const HEADER_BYTES: usize = 16;

/** The largest block given to the host; above it the hostcall is told "no memory". */
const BLOCK_BYTES_MAX: usize = 64 << 20;

let newest: usize = 0;

/** Allocates `size` bytes for the host, or answers 0, which fails the hostcall and not the VM. */
export function allocate(size: usize): usize {
  if (size > BLOCK_BYTES_MAX) return 0;
  const block = heap.alloc(HEADER_BYTES + size);
  store<usize>(block, newest);
  newest = block;
  return block + HEADER_BYTES;
}

/** Frees what the host handed over since the last release: every `Bytes` view of it is dead. */
export function release(): void {
  let block = newest;
  newest = 0;
  while (block != 0) {
    const older = load<usize>(block);
    heap.free(block);
    block = older;
  }
}
