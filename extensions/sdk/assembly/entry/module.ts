// Pulls in the `abort` that asconfig.json names.
import "../abort";
import { allocate } from "../arena";
import { enter } from "../callback";
import { closeContext, leaveAndCollect, openContext } from "../contexts";

// What every module exports.

/** Says which ABI this module speaks; the host looks for the name and never calls it. */
export function proxy_abi_version_0_2_1(): void {}

/** The allocator, under the name the specification prefers and under Envoy's. */
export { allocate as malloc, allocate as proxy_on_memory_allocate };

/** A plugin (no parent) or a stream (of that parent) begins. */
export function proxy_on_context_create(context: u32, parent: u32): void {
  enter();
  openContext(context, parent);
  leaveAndCollect();
}

/** A plugin or a stream is gone. */
export function proxy_on_delete(context: u32): void {
  enter();
  const stream = closeContext(context);
  if (stream != null) {
    stream.onDelete();
    const plugin = stream.owner;
    if (stream.isReusable && plugin != null) plugin.keepSpare(stream);
  }
  leaveAndCollect();
}
