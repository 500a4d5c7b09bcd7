import type { GuestBuffer } from "../context.ts";
import { type Caller, hostcall } from "../hostcall.ts";
import { BufferKind, Status } from "../status.ts";

/** Buffers that Envoy reports as missing; the others it shows as empty. */
const STRICT_KINDS: readonly number[] = [BufferKind.pluginConfiguration, BufferKind.httpCallBody];

const EMPTY: GuestBuffer = { read: () => new Uint8Array() };

function bufferOf({ vm, context }: Caller, kind: number): GuestBuffer | number {
  if (kind > BufferKind.foreignArguments) return Status.badArgument;
  if (kind === BufferKind.vmConfiguration && vm.profile.keepsVmConfiguration) {
    return { read: () => vm.configuration };
  }
  const buffer = context.buffers.get(kind) ?? context.root.buffers.get(kind);
  if (buffer !== undefined) return buffer;
  const isEmpty = vm.profile.missingBuffersAreEmpty && !STRICT_KINDS.includes(kind);
  return isEmpty ? EMPTY : Status.notFound;
}

export const bufferCalls = {
  proxy_get_buffer_bytes: hostcall("nnn", "B", (caller, kind, start, max) => {
    const buffer = bufferOf(caller, kind);
    if (typeof buffer === "number") return buffer;
    const bytes = buffer.read();
    const isPastEnd = start > bytes.byteLength;
    if (isPastEnd && !caller.vm.profile.readsPastEnd) return Status.badArgument;
    return [bytes.slice(start, start + max)];
  }),
  proxy_get_buffer_status: hostcall("n", "NN", (caller, kind) => {
    const buffer = bufferOf(caller, kind);
    return typeof buffer === "number" ? buffer : [buffer.read().byteLength, 0];
  }),
  proxy_set_buffer_bytes: hostcall("nnnb", "", (caller, kind, start, length, bytes) => {
    const buffer = bufferOf(caller, kind);
    if (typeof buffer === "number") return buffer;
    if (buffer.write === undefined) return Status.badArgument;
    const old = buffer.read();
    const end = Math.min(start + length, old.byteLength);
    const isAppended = start >= old.byteLength;
    if (caller.vm.profile.replacesWholeBuffers && start > 0 && !isAppended) {
      return Status.badArgument;
    }
    buffer.write(Buffer.concat([old.subarray(0, start), bytes, old.subarray(end)]));
    return Status.ok;
  }),
};
