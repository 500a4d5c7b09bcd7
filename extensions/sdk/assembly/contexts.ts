import { readLogLevel } from "./log";
import { HttpFilter } from "./http-filter";
import { Plugin } from "./plugin";

// The host names everything by a context id (ABI, "Contexts"): a root is a configured plugin, a
// child of a root is a stream. Ids are never used twice within a VM.

/** Streams that end between two collections; the more streams are open, the more may end. */
const ENDED_MIN: i32 = 32;

const roots = new Map<u32, Plugin>();
const streams = new Map<u32, HttpFilter>();

let createPlugin: (() => Plugin) | null = null;
let ended: i32 = 0;

/** Names the plugin of this module. Call it once, at the top level of index.ts. */
export function register(create: () => Plugin): void {
  createPlugin = create;
}

/** Opens a context: a root if it has no parent, else a stream of that root. */
export function openContext(id: u32, parent: u32): void {
  if (parent == 0) {
    readLogLevel();
    const create = createPlugin;
    if (create != null) roots.set(id, create());
  } else if (roots.has(parent)) {
    streams.set(id, roots.get(parent).createHttpFilter());
  }
}

/** The plugin with this root id, or null. */
export function pluginAt(root: u32): Plugin | null {
  return roots.has(root) ? roots.get(root) : null;
}

/** The filter of this stream, or null. */
export function filterAt(stream: u32): HttpFilter | null {
  return streams.has(stream) ? streams.get(stream) : null;
}

/**
 * Forgets a context. The runtime collects only when told to, and here no reference lies on the
 * stack, where the collector would miss it. To walk the heap costs as much as there are open
 * streams, so it waits until as many have ended: the cost per stream is constant.
 */
export function closeContext(id: u32): void {
  if (!streams.delete(id)) roots.delete(id);
  ended++;
  if (ended < max(ENDED_MIN, streams.size)) return;
  ended = 0;
  __collect();
}
