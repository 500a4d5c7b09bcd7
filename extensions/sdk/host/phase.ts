/** What a plugin is doing, as far as that decides what it may call. */
export type Phase = "starting" | "initializing" | "allocating" | "running";

/** What a plugin may call while it starts or allocates; anything else there ends the VM. */
const LEGAL: Readonly<Record<Exclude<Phase, "running">, RegExp>> = {
  // The start section runs before there is a memory to speak of: Envoy dies of any call from there.
  starting: /^$/,
  initializing:
    /^(proxy_log|emscripten_|fd_(write|fdstat|prestat)|args_|environ_|clock_|random_|poll_)/,
  allocating: /^(proxy_log|fd_write|clock_time_get|poll_oneoff)$/,
};

/** Throws if a plugin may not make this call in this phase. */
export function assertLegal(name: string, phase: Phase): void {
  if (phase === "running" || LEGAL[phase].test(name)) return;
  throw new Error(`${name} is not allowed while the plugin is ${phase}`);
}
