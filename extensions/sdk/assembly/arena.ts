// Memory that lives as long as a callback (ABI, "Memory ownership"): the host calls our allocator,
// writes, and the plugin owns the block from then on. Everything allocated here is freed at once
// when the callback ends, so that no plugin has to free, or can forget to.
//
// Most callbacks get a few hundred bytes: those lie in one region that is filled from the front
// and reused. What does not fit there is raw heap, linked into a list. Neither is in sight of the
// collector: blocks neither move nor get collected.

/** The region: what a callback that reads headers gets, with room to spare. */
const REGION_BYTES: usize = 8 << 10;

/** In front of each block of its own: the address of the block before it. 16 keeps it aligned. */
const HEADER_BYTES: usize = 16;

/** The largest block given to the host; above it the hostcall is told "no memory". */
const BLOCK_BYTES_MAX: usize = 64 << 20;

let region: usize = 0;
let used: usize = 0;
let newest: usize = 0;

/** Allocates `size` bytes, or answers 0, which fails the hostcall and not the VM. */
export function allocate(size: usize): usize {
  if (size > BLOCK_BYTES_MAX) return 0;
  const end = used + ((size + 7) & ~7);
  if (end > REGION_BYTES) return allocateBlock(size);
  if (region == 0) region = heap.alloc(REGION_BYTES);
  const at = region + used;
  used = end;
  return at;
}

/** Gives back what was allocated last from `end` on, if it lies in the region. */
export function giveBack(end: usize): void {
  const kept = end - region;
  if (kept <= used) used = (kept + 7) & ~7;
}

function allocateBlock(size: usize): usize {
  const block = heap.alloc(HEADER_BYTES + size);
  store<usize>(block, newest);
  newest = block;
  return block + HEADER_BYTES;
}

/** Frees everything allocated since the last release: every `Bytes` view of it is dead. */
export function releaseMemory(): void {
  used = 0;
  let block = newest;
  newest = 0;
  while (block != 0) {
    const older = load<usize>(block);
    heap.free(block);
    block = older;
  }
}
