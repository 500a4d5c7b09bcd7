/** Where hosts differ: each line is one question that the specification and Envoy answer apart. */
export interface Profile {
  /** Allocates with `malloc` even where `proxy_on_memory_allocate` is exported too. */
  readonly prefersMalloc: boolean;
  /** `proxy_on_vm_start` is called for every root, instead of once for the VM. */
  readonly startsEveryRoot: boolean;
  /** An HTTP stream ends with log, done, delete instead of done, log, delete. */
  readonly logsBeforeDone: boolean;
  /** Only a root may put its end off: what a stream answers to `proxy_on_done` is ignored. */
  readonly onlyRootsDefer: boolean;
  /** Pausing on headers keeps body and trailers from the plugin too. */
  readonly headersPauseStopsAll: boolean;
  /** What a callback lets go on does so before its own answer, which may hold it again. */
  readonly resumesBeforeAnswer: boolean;
  /** A callout that comes to nothing is answered as the proxy answers its clients: 503 or 504. */
  readonly answersFailedCallouts: boolean;
  /** A stream of gRPC that the plugin closes is only ended on its side. */
  readonly closesHalf: boolean;
  /** On TCP the upstream's end is told when it comes, and no other end of its. */
  readonly tellsUpstreamEnd: boolean;
  /** `proxy_get_buffer_bytes` answers nothing, instead of failing, beyond the end. */
  readonly readsPastEnd: boolean;
  /** The VM's configuration can be read at any time, not only when the VM starts. */
  readonly keepsVmConfiguration: boolean;
  /** Recording a counter adds to it, instead of setting it. */
  readonly recordsByAdding: boolean;
  /** `proxy_set_buffer_bytes` replaces from the start only, or appends. */
  readonly replacesWholeBuffers: boolean;
  /** A buffer that is not there now reads as empty, instead of failing. */
  readonly missingBuffersAreEmpty: boolean;
  /** A map that is not there now has no pairs, instead of failing. */
  readonly missingMapsHaveNoPairs: boolean;
  /** `proxy_set_shared_data` with a compare value creates a key that is not there. */
  readonly casCreates: boolean;
  /** Envoy's foreign functions are there. */
  readonly hasForeign: boolean;
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
    resumesBeforeAnswer: true,
    answersFailedCallouts: true,
    closesHalf: true,
    tellsUpstreamEnd: true,
    readsPastEnd: true,
    keepsVmConfiguration: true,
    recordsByAdding: true,
    replacesWholeBuffers: true,
    missingBuffersAreEmpty: true,
    missingMapsHaveNoPairs: true,
    casCreates: true,
    hasForeign: true,
    lacksUpstreamContinue: true,
  },
  spec: {
    prefersMalloc: false,
    startsEveryRoot: false,
    logsBeforeDone: false,
    onlyRootsDefer: false,
    headersPauseStopsAll: false,
    resumesBeforeAnswer: false,
    answersFailedCallouts: false,
    closesHalf: false,
    tellsUpstreamEnd: false,
    readsPastEnd: false,
    keepsVmConfiguration: false,
    recordsByAdding: false,
    replacesWholeBuffers: false,
    missingBuffersAreEmpty: false,
    missingMapsHaveNoPairs: false,
    casCreates: false,
    hasForeign: false,
    lacksUpstreamContinue: false,
  },
};
