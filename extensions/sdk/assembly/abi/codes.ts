// The numbers of the ABI (0.2.1, "Enums") that the SDK speaks. AssemblyScript inlines an enum,
// so a name costs nothing here.

/** How loud a message is; the host drops what lies under its own level. */
export enum LogLevel { Trace, Debug, Info, Warn, Error, Critical }

/**
 * What a callback asks of the host. A paused message goes on by `continueRequest` and its like.
 * Envoy buffers a paused body and answers 413 where it outgrows the buffer.
 */
export enum Action { Continue, Pause }

/** The answer of a hostcall. */
export enum Status {
  Ok = 0, NotFound = 1, BadArgument = 2, SerializationFailure = 3, ParseFailure = 4,
  InvalidMemoryAccess = 6, Empty = 7, CasMismatch = 8, InternalFailure = 10, Unimplemented = 12,
}

/** The maps of headers and trailers there can be. */
export enum HeaderMap {
  Request = 0, RequestTrailers = 1, Response = 2, ResponseTrailers = 3,
  GrpcInitialMetadata = 4, GrpcTrailingMetadata = 5,
  HttpCallResponse = 6, HttpCallResponseTrailers = 7,
}

/** The buffers there can be. */
export enum Buffer {
  RequestBody = 0, ResponseBody = 1, DownstreamData = 2, UpstreamData = 3,
  HttpCallResponseBody = 4, GrpcMessage = 5, VmConfiguration = 6, PluginConfiguration = 7,
  CallData = 8,
}

/** The kinds of metric. */
export enum Metric { Counter = 0, Gauge = 1, Histogram = 2 }

/** Who closed a connection. */
export enum Peer { Unknown, Local, Remote }

/** What `proxy_continue_stream` and `proxy_close_stream` act on. */
export enum StreamType { Request, Response, Downstream, Upstream }

/** The codes of gRPC that plugins answer with most. `None` sends no gRPC status. */
export enum GrpcStatus {
  None = -1, Ok = 0, Canceled = 1, Unknown = 2, InvalidArgument = 3, DeadlineExceeded = 4,
  NotFound = 5, PermissionDenied = 7, ResourceExhausted = 8, Internal = 13, Unavailable = 14,
  Unauthenticated = 16,
}
