import { type Caller, hostcall } from "../hostcall.ts";
import { decodePairs } from "../pairs.ts";
import { BufferKind, Status } from "../status.ts";

const [REQUEST, RESPONSE, , UPSTREAM] = [0, 1, 2, 3];

/** Resumes a stream once the callback has ended; a context without a stream has none to resume. */
function resume({ vm, context }: Caller, direction: number): number {
  vm.defer(() => context.stream?.resume(direction));
  // Envoy takes the request away at once, whichever way goes on.
  if (vm.profile.resumesBeforeAnswer) context.stream?.forgetRequest?.();
  return Status.ok;
}

export const streamCalls = {
  proxy_continue_stream: hostcall("n", "", (caller, direction) => {
    if (direction > UPSTREAM) return Status.badArgument;
    const isLacking = caller.vm.profile.lacksUpstreamContinue;
    return direction === UPSTREAM && isLacking ? Status.unimplemented : resume(caller, direction);
  }),
  proxy_close_stream: hostcall("n", "", ({ vm, context }, direction) => {
    if (direction > UPSTREAM) return Status.badArgument;
    vm.defer(() => context.stream?.reset(direction));
    return Status.ok;
  }),
  proxy_send_local_response: hostcall(
    "ntbbi",
    "",
    ({ vm, context }, status, details, body, pairs, grpcStatus) => {
      const headers = decodePairs(pairs) ?? [];
      const response = { status, details, body, headers, grpcStatus };
      vm.defer(() => context.stream?.respond?.(response));
      return Status.ok;
    },
  ),
  proxy_get_status: hostcall("", "NB", ({ context }) => {
    const [code, message] = context.root.status;
    return [code, Buffer.from(message)];
  }),
  proxy_set_effective_context: hostcall("n", "", ({ vm }, id) => {
    const context = vm.contexts.get(id);
    if (context === undefined) return Status.badArgument;
    vm.setEffective(context);
    return Status.ok;
  }),
  proxy_done: hostcall("", "", ({ vm, context }) => {
    const ended = vm.profile.onlyRootsDefer ? context.root : context;
    if (!ended.isDonePending) return Status.notFound;
    ended.isDonePending = false;
    vm.defer(ended.onDone);
    return Status.ok;
  }),
};

/** Hostcalls of version 0.1.0 alone. */
export const firstVersionCalls = {
  proxy_get_configuration: hostcall("", "B", ({ context }) => [
    context.root.buffers.get(BufferKind.pluginConfiguration)?.read() ?? new Uint8Array(),
  ]),
  proxy_continue_request: hostcall("", "", (caller) => resume(caller, REQUEST)),
  proxy_continue_response: hostcall("", "", (caller) => resume(caller, RESPONSE)),
  proxy_clear_route_cache: hostcall("", "", () => Status.ok),
};
