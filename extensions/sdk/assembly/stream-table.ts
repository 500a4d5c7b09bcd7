import { Stream } from "./stream";

/** Slots to begin with; there are always at least as many as streams. */
const SLOTS_MIN: i32 = 64;

/**
 * The open streams by the host's ids, which count up: the low bits choose a slot, and streams of
 * the same slot are linked. Nothing is allocated while as many streams end as begin.
 */
let streams = new StaticArray<Stream | null>(SLOTS_MIN);
let mask: u32 = SLOTS_MIN - 1;
let open: i32 = 0;

/** How many streams are open. */
export function openStreams(): i32 {
  return open;
}

/** The stream with this id, or null. */
export function streamAt(id: u32): Stream | null {
  let stream = unchecked(streams[id & mask]);
  while (stream != null && stream.id != id) stream = stream.older;
  return stream;
}

/** Keeps a stream, which has its id. */
export function putStream(stream: Stream): void {
  if (<u32>open > mask) grow();
  open++;
  link(stream);
}

/** Forgets a stream and answers it, or null if there is none of this id. */
export function takeStream(id: u32): Stream | null {
  const taken = streamAt(id);
  if (taken == null) return null;
  open--;
  let newer = unchecked(streams[id & mask]);
  if (newer == taken) unchecked(streams[id & mask] = taken.older);
  else {
    while (newer != null && newer.older != taken) newer = newer.older;
    if (newer != null) newer.older = taken.older;
  }
  taken.older = null;
  return taken;
}

function link(stream: Stream): void {
  const slot = stream.id & mask;
  stream.older = unchecked(streams[slot]);
  unchecked(streams[slot] = stream);
}

function grow(): void {
  const before = streams;
  const slots = mask + 1;
  streams = new StaticArray<Stream | null>(2 * slots);
  mask = 2 * slots - 1;
  for (let i: u32 = 0; i < slots; i++) {
    let stream = unchecked(before[i]);
    while (stream != null) {
      const older = stream.older;
      link(stream);
      stream = older;
    }
  }
}
