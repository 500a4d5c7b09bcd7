import { Stream } from "./stream";

/** Slots to begin with; there are always at least twice as many as streams. */
const SLOTS_MIN: i32 = 64;

/**
 * Scatters ids (2^32 over the golden ratio): they come one after another, and those of streams
 * that stay open would form runs that every search had to walk through.
 */
const SCATTER: u32 = 0x9e37_79b1;

/**
 * The open streams by the host's ids. One that finds its slot taken lies in the next free one.
 * Nothing is allocated while as many streams end as begin.
 */
let slots: i32 = SLOTS_MIN;
let ids = new StaticArray<u32>(SLOTS_MIN);
let streams = new StaticArray<Stream | null>(SLOTS_MIN);
let open: i32 = 0;

/** How many streams are open. */
export function openStreams(): i32 {
  return open;
}

/** The stream with this id, or null. */
export function streamAt(id: u32): Stream | null {
  return unchecked(streams[slotOf(id)]);
}

export function putStream(id: u32, stream: Stream): void {
  if (2 * (open + 1) > slots) grow();
  const slot = slotOf(id);
  if (unchecked(ids[slot]) == 0) open++;
  unchecked(ids[slot] = id);
  unchecked(streams[slot] = stream);
}

/** Forgets a stream and answers it, or null if there is none of this id. */
export function takeStream(id: u32): Stream | null {
  let gap = slotOf(id);
  const taken = unchecked(streams[gap]);
  if (taken == null) return null;
  open--;
  // Moves up what was put aside because of this one, so that a search may stop at a free slot.
  const mask = slots - 1;
  let next = (gap + 1) & mask;
  while (unchecked(ids[next]) != 0) {
    const home = homeOf(unchecked(ids[next]));
    if (((next - home) & mask) >= ((next - gap) & mask)) {
      unchecked(ids[gap] = ids[next]);
      unchecked(streams[gap] = streams[next]);
      gap = next;
    }
    next = (next + 1) & mask;
  }
  unchecked(ids[gap] = 0);
  unchecked(streams[gap] = null);
  return taken;
}

/** The slot of an id, or the free one where it would be put. No id is 0. */
function slotOf(id: u32): i32 {
  const mask = slots - 1;
  let slot = homeOf(id);
  while (true) {
    const found = unchecked(ids[slot]);
    if (found == id || found == 0) return slot;
    slot = (slot + 1) & mask;
  }
}

/** The slot where an id would lie if nothing else did. */
@inline
function homeOf(id: u32): i32 {
  return <i32>((id * SCATTER) >> 12) & (slots - 1);
}

function grow(): void {
  const oldIds = ids;
  const oldStreams = streams;
  const count = slots;
  slots = 2 * count;
  ids = new StaticArray<u32>(slots);
  streams = new StaticArray<Stream | null>(slots);
  for (let i = 0; i < count; i++) {
    if (oldIds[i] == 0) continue;
    const slot = slotOf(oldIds[i]);
    ids[slot] = oldIds[i];
    streams[slot] = oldStreams[i];
  }
}
