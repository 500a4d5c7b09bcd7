// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { Bytes, takeViewsLeft } from "./bytes";
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

/**
 * Callbacks, and views that found no room, between two collections: a stream that goes on for long
 * leaves as much behind as many short ones.
 */
const LEFT_MAX: i32 = 4096;

/** The newest of the plugins, which are linked: there are few, and of most modules one. */
let newest: Plugin | null = null;

let streamEnded: ((id: u32) => void) | null = null;
let ended: i32 = 0;
let left: i32 = 0;

/** The root id of the plugin that is being made; null from `weftCreatePlugin` refuses it. */
export function rootId(): Bytes {
  const id = getProperty("plugin_root_id");
  return id == null ? Bytes.view(0, 0) : id;
}

/** Opens a context: a root if it has no parent, else a stream of that root. */
export function openContext(id: u32, parent: u32): void {
  if (parent == 0) return openPlugin(id);
  const plugin = pluginAt(parent);
  if (plugin != null) openStream(id, plugin);
}

function openPlugin(id: u32): void {
  readLogLevel();
  // The transform writes it, as the module's classes with @filter say.
  const plugin = weftCreatePlugin();
  if (plugin == null) return;
  plugin.id = id;
  plugin.older = newest;
  newest = plugin;
}

function openStream(id: u32, plugin: Plugin): void {
  const stream = plugin.createStream();
  if (stream == null) return;
  stream.id = id;
  stream.owner = plugin;
  putStream(stream);
}

/** Has something done whenever a stream ends, while it is still known to the host. */
export function watchStreamEnds(watch: (id: u32) => void): void {
  streamEnded = watch;
}

/** The plugin with this root id, or null. */
export function pluginAt(root: u32): Plugin | null {
  let plugin: Plugin | null = newest;
  while (plugin != null) {
    if (plugin.id == root) return plugin;
    plugin = plugin.older;
  }
  return null;
}

function closePlugin(root: u32): void {
  let newer: Plugin | null = null;
  let plugin: Plugin | null = newest;
  while (plugin != null) {
    if (plugin.id == root) {
      if (newer == null) newest = plugin.older;
      else newer.older = plugin.older;
      return;
    }
    newer = plugin;
    plugin = plugin.older;
  }
}

/** Forgets a context and answers the stream that it was, if it was one. */
export function closeContext(id: u32): Stream | null {
  const stream = takeStream(id);
  if (stream == null) closePlugin(id);
  const watch = streamEnded;
  if (watch != null) watch(id);
  ended++;
  return stream;
}

/**
 * Ends a callback. The runtime collects only when told to, and where the outermost callback ends
 * no reference lies on the stack, where the collector would miss it. To walk the heap costs as
 * much as there are open streams, so it waits until as many have ended, which makes the cost per
 * stream constant, or until callbacks of streams that go on have left much behind.
 */
export function leaveAndCollect(): void {
  if (!leave()) return;
  left += 1 + takeViewsLeft();
  if (left < LEFT_MAX && ended < max(ENDED_MIN, openStreams())) return;
  left = 0;
  ended = 0;
  __collect();
}
