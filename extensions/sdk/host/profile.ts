/** Where hosts differ: each line is one question that the specification and Envoy answer apart. */
export interface Profile {
  /** Allocates with `malloc` even where `proxy_on_memory_allocate` is exported too. */
  readonly prefersMalloc: boolean;
  /** `proxy_on_vm_start` is called for every root and told its id, instead of once and 0. */
  readonly startsEveryRoot: boolean;
  /** An HTTP stream ends with log, done, delete instead of done, log, delete. */
  readonly logsBeforeDone: boolean;
  /** Only a root may put its end off: what a stream answers to `proxy_on_done` is ignored. */
  readonly onlyRootsDefer: boolean;
  /** Pausing on headers keeps body and trailers from the plugin too. */
  readonly headersPauseStopsAll: boolean;
  /** `proxy_get_buffer_bytes` answers nothing, instead of failing, beyond the end. */
  readonly readsPastEnd: boolean;
  /** `proxy_set_buffer_bytes` replaces from the start only, or appends. */
  readonly replacesWholeBuffers: boolean;
  /** A buffer that is not there now reads as empty, instead of failing. */
  readonly missingBuffersAreEmpty: boolean;
  /** A map that is not there now has no pairs, instead of failing. */
  readonly missingMapsHaveNoPairs: boolean;
  /** Pairs that do not parse mean no pairs, instead of failing. */
  readonly ignoresMalformedPairs: boolean;
  /** `proxy_set_shared_data` with a compare value creates a key that is not there. */
  readonly casCreates: boolean;
  /** `proxy_continue_stream` of an upstream connection is not offered. */
  readonly lacksUpstreamContinue: boolean;
}

export type ProfileName = "envoy-1.40" | "spec";

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  "envoy-1.40": {
    prefersMalloc: true,
    startsEveryRoot: true,
    logsBeforeDone: true,
    onlyRootsDefer: true,
    headersPauseStopsAll: true,
    readsPastEnd: true,
    replacesWholeBuffers: true,
    missingBuffersAreEmpty: true,
    missingMapsHaveNoPairs: true,
    ignoresMalformedPairs: true,
    casCreates: true,
    lacksUpstreamContinue: true,
  },
  spec: {
    prefersMalloc: false,
    startsEveryRoot: false,
    logsBeforeDone: false,
    onlyRootsDefer: false,
    headersPauseStopsAll: false,
    readsPastEnd: false,
    replacesWholeBuffers: false,
    missingBuffersAreEmpty: false,
    missingMapsHaveNoPairs: false,
    ignoresMalformedPairs: false,
    casCreates: false,
    lacksUpstreamContinue: false,
  },
};
