import { Buffer, Status } from "../abi/codes";
import * as host from "../abi/host";
import { bufferOut, firstOut, secondOut } from "../abi/result";
import { Bytes } from "../bytes";
import { enter } from "../callback";
import { leaveAndCollect, pluginAt } from "../contexts";
import { readLogLevel } from "../log";
import { defineMetrics } from "../metric";
import { streamAt } from "../stream-table";

// What the host tells of a plugin, that is of a root context.

/** The VM has started; 0 stops it. */
export function proxy_on_vm_start(root: u32, size: u32): u32 {
  enter();
  const plugin = pluginAt(root);
  const isAccepted = plugin == null || plugin.onStart(size);
  leaveAndCollect();
  return isAccepted ? 1 : 0;
}

/** The plugin's configuration stands ready; 0 refuses it. */
export function proxy_on_configure(root: u32, size: u32): u32 {
  enter();
  readLogLevel();
  defineMetrics();
  const plugin = pluginAt(root);
  const isAccepted = plugin != null && plugin.configure(pluginConfiguration(size));
  leaveAndCollect();
  return isAccepted ? 1 : 0;
}

function pluginConfiguration(size: u32): Bytes {
  const status = host.proxy_get_buffer_bytes(
    Buffer.PluginConfiguration, 0, size, firstOut(), secondOut(),
  );
  return status == Status.Ok ? bufferOut() : Bytes.view(0, 0);
}

/** The plugin's time has come. */
export function proxy_on_tick(root: u32): void {
  enter();
  readLogLevel();
  const plugin = pluginAt(root);
  if (plugin != null) plugin.onTick();
  leaveAndCollect();
}

/** A queue has entries. */
export function proxy_on_queue_ready(root: u32, queue: u32): void {
  enter();
  const plugin = pluginAt(root);
  if (plugin != null) plugin.onQueueReady(queue);
  leaveAndCollect();
}

/** A function of the host's calls back. */
export function proxy_on_foreign_function(root: u32, id: u32, argumentsSize: u32): void {
  enter();
  const plugin = pluginAt(root);
  if (plugin != null) plugin.onForeignFunction(id, argumentsSize);
  leaveAndCollect();
}

/** A plugin or a stream is to end; 0 delays that, which the host does for plugins only. */
export function proxy_on_done(context: u32): u32 {
  enter();
  const stream = streamAt(context);
  if (stream != null) stream.onDone();
  const plugin = stream == null ? pluginAt(context) : null;
  const isDone = plugin == null || plugin.onDone();
  leaveAndCollect();
  return isDone ? 1 : 0;
}

/** Everything about a stream is known. */
export function proxy_on_log(context: u32): void {
  enter();
  const stream = streamAt(context);
  if (stream != null) stream.onLog();
  leaveAndCollect();
}
