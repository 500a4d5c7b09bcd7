// What upstreams answer, whatever stands before them: to requests, to callouts, and to calls of gRPC.

import type { CalloutRequest, CalloutResponse, GrpcAnswer, Header } from "@weft/sdk/host";

/** An answer; or the connection is closed, or nothing ever comes. */
export type Answered<T> = T | "drop" | "silence";

const OWN = "x-t-";
const isOwn = ([name]: Header) => name.startsWith(OWN);

/** Echoes a request: its body, and as one header its headers and trailers that begin with x-t-. */
export function echo({ headers, body, trailers }: CalloutRequest): CalloutResponse {
  const own = [...headers.filter(isOwn), ...trailers.filter(isOwn)];
  const saw: Header[] = own.length === 0 ? [] : [["x-saw", own.map((h) => h.join("=")).join(";")]];
  return {
    headers: [[":status", "200"], ["content-type", "text/plain"], ...saw],
    body: `upstream${body}`,
  };
}

const LARGE_BYTES = 70_000;
/** Long enough that whatever is asked meanwhile is answered before. */
const LATER_MS = 100;

const CALLOUTS: Readonly<Record<string, Answered<CalloutResponse>>> = {
  "/missing": { headers: [[":status", "404"]], body: "not here" },
  "/later": { headers: [[":status", "200"]], body: "later", delayMs: LATER_MS },
  "/large": { headers: [[":status", "200"]], body: "x".repeat(LARGE_BYTES) },
  "/trailers": {
    headers: [[":status", "200"]],
    body: "with trailers",
    trailers: [["x-t-z", "end"]],
  },
  "/drop": "drop",
  "/silence": "silence",
};

/** Answers a callout by its path; other paths than these are echoed. */
export function answerCallout(path: string, request: CalloutRequest): Answered<CalloutResponse> {
  return CALLOUTS[path] ?? echo(request);
}

/** One call of gRPC: what the server says when it begins, to each message, and at the end. */
export interface GrpcMethod {
  readonly onMessage: (message: string, metadata: readonly Header[]) => Answered<GrpcAnswer>;
  readonly onEnd: Answered<GrpcAnswer>;
}

const INITIAL: readonly Header[] = [["x-m", "first"]];
const TRAILING: readonly Header[] = [["x-m", "last"]];
const OK = { status: 0, statusMessage: "" } as const;

/** The methods of the service `test.Echo`. */
const METHODS: Readonly<Record<string, GrpcMethod>> = {
  /** One message for one, or for each of a stream. */
  Say: {
    onMessage: (message) => ({ initialMetadata: INITIAL, messages: [`echo ${message}`] }),
    onEnd: { trailingMetadata: TRAILING, ...OK },
  },
  /** Answers what was asked along with the call. */
  Metadata: {
    onMessage: (_, metadata) => ({ messages: [metadata.filter(isOwn).flat().join(" ")] }),
    onEnd: OK,
  },
  Twice: { onMessage: (message) => ({ messages: [message, "and more"] }), onEnd: OK },
  Nothing: { onMessage: () => ({}), onEnd: OK },
  /** Refuses at once, in headers alone. */
  Fail: { onMessage: () => ({ status: 7, statusMessage: "not yours" }), onEnd: {} },
  FailLate: {
    onMessage: (message) => ({ initialMetadata: INITIAL, messages: [`echo ${message}`] }),
    onEnd: { trailingMetadata: TRAILING, status: 9, statusMessage: "too late" },
  },
  Drop: { onMessage: () => "drop", onEnd: "silence" },
  Silence: { onMessage: () => "silence", onEnd: "silence" },
};

const UNIMPLEMENTED: GrpcMethod = { onMessage: () => ({ status: 12 }), onEnd: {} };

/** The method of a name: one that is not there refuses. */
export const methodOf = (name: string): GrpcMethod => METHODS[name] ?? UNIMPLEMENTED;
