// Pulls in the `abort` that asconfig.json names.
import "../abort";
import { allocate, release } from "../arena";
import { closeContext, openContext } from "../contexts";

// What every module exports. Each entry into the VM ends with `release`.

/** Says which ABI this module speaks; the host looks for the name and never calls it. */
export function proxy_abi_version_0_2_1(): void {}

/** The allocator, under the name the specification prefers and under Envoy's. */
export { allocate as malloc, allocate as proxy_on_memory_allocate };

/** A plugin (no parent) or a stream (of that parent) begins. */
export function proxy_on_context_create(context: u32, parent: u32): void {
  openContext(context, parent);
  release();
}

/** A plugin or a stream is gone. */
export function proxy_on_delete(context: u32): void {
  closeContext(context);
  release();
}
