/** What hostcalls answer (ABI, "Status"); the last column of the C++ host's names included. */
export const Status = {
  ok: 0,
  notFound: 1,
  badArgument: 2,
  serializationFailure: 3,
  parseFailure: 4,
  badExpression: 5,
  invalidMemoryAccess: 6,
  empty: 7,
  casMismatch: 8,
  resultMismatch: 9,
  internalFailure: 10,
  brokenConnection: 11,
  unimplemented: 12,
} as const;

/** What WASI calls answer instead. */
export const Errno = {
  ok: 0,
  badFile: 8,
  fault: 21,
  invalid: 28,
  notFound: 44,
  notImplemented: 52,
  notSupported: 58,
  notCapable: 76,
} as const;

export const LogLevel = { trace: 0, debug: 1, info: 2, warn: 3, error: 4, critical: 5 } as const;

/** Kinds of header maps, and of buffers, as hostcalls number them. */
export const MapKind = {
  requestHeaders: 0,
  requestTrailers: 1,
  responseHeaders: 2,
  responseTrailers: 3,
  grpcInitialMetadata: 4,
  grpcTrailingMetadata: 5,
  httpCallHeaders: 6,
  httpCallTrailers: 7,
} as const;

export const BufferKind = {
  requestBody: 0,
  responseBody: 1,
  downstreamData: 2,
  upstreamData: 3,
  httpCallBody: 4,
  grpcMessage: 5,
  vmConfiguration: 6,
  pluginConfiguration: 7,
  foreignArguments: 8,
} as const;
