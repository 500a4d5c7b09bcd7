import { leave } from "./callback";
import { readLogLevel } from "./log";
import { Plugin } from "./plugin";
import { getProperty } from "./property";
import { Stream } from "./stream";
import { openStreams, putStream, takeStream } from "./stream-table";

// The host names everything by a context id (ABI, "Contexts"): a root is a configured plugin, a
// child of a root is a stream. Ids are never used twice within a VM.

/** Streams that end between two collections; the more streams are open, the more may end. */
const ENDED_MIN: i32 = 64;

const plugins = new Map<u32, Plugin>();

const rootIds = new Array<string>();
const creators = new Array<() => Plugin>();
let findCreator: (() => i32) = (): i32 => 0;

let streamEnded: ((id: u32) => void) | null = null;
let ended: i32 = 0;

/** Names the only plugin of this module. It answers to any root id. */
export function register(create: () => Plugin): void {
  creators.push(create);
}

/** Names one of several plugins of this module: the one of this root id. */
export function registerAs(rootId: string, create: () => Plugin): void {
  rootIds.push(rootId);
  creators.push(create);
  findCreator = creatorOfRootId;
}

function creatorOfRootId(): i32 {
  const wanted = getProperty("plugin_root_id");
  if (wanted == null) return -1;
  for (let i = 0; i < rootIds.length; i++) {
    if (wanted.equals(rootIds[i])) return i;
  }
  return -1;
}

/** Opens a context: a root if it has no parent, else a stream of that root. */
export function openContext(id: u32, parent: u32): void {
  if (parent == 0) openPlugin(id);
  else if (plugins.has(parent)) openStream(id, plugins.get(parent));
}

function openPlugin(id: u32): void {
  readLogLevel();
  const found = findCreator();
  if (<u32>found >= <u32>creators.length) return;
  const plugin = creators[found]();
  plugin.id = id;
  plugins.set(id, plugin);
}

function openStream(id: u32, plugin: Plugin): void {
  const stream = plugin.createStream();
  if (stream == null) return;
  stream.id = id;
  stream.plugin = plugin;
  putStream(id, stream);
}

/** Has something done whenever a stream ends, while it is still known to the host. */
export function watchStreamEnds(watch: (id: u32) => void): void {
  streamEnded = watch;
}

/** The plugin with this root id, or null. */
export function pluginAt(root: u32): Plugin | null {
  return plugins.has(root) ? plugins.get(root) : null;
}

/** Forgets a context and answers the stream that it was, if it was one. */
export function closeContext(id: u32): Stream | null {
  const stream = takeStream(id);
  if (stream == null) plugins.delete(id);
  const watch = streamEnded;
  if (watch != null) watch(id);
  ended++;
  return stream;
}

/**
 * Ends a callback. The runtime collects only when told to, and where the outermost callback ends
 * no reference lies on the stack, where the collector would miss it. To walk the heap costs as
 * much as there are open streams, so it waits until as many have ended: the cost per stream is
 * constant.
 */
export function leaveAndCollect(): void {
  if (!leave() || ended < max(ENDED_MIN, openStreams())) return;
  ended = 0;
  __collect();
}
