import type { Header } from "./header-map.ts";

export interface CalloutRequest {
  readonly headers: readonly Header[];
  readonly body: string;
  readonly trailers: readonly Header[];
}

export interface CalloutResponse {
  readonly headers?: readonly Header[];
  readonly body?: string | Uint8Array;
  readonly trailers?: readonly Header[];
  /** Virtual time until the answer is there: none, unless told. */
  readonly delayMs?: number;
}

export interface GrpcRequest {
  readonly service: string;
  readonly method: string;
  readonly metadata: readonly Header[];
  readonly message: Uint8Array;
  /** Whether the plugin will send no more; always so for a single call. */
  readonly endOfStream: boolean;
  /** Whether the plugin ends its side without a message. */
  readonly isEnd?: boolean;
}

/**
 * What a server says to one message: that which it says first of all begins with its initial
 * metadata. A stream stays open while it gives no status.
 */
export interface GrpcAnswer {
  readonly initialMetadata?: readonly Header[];
  readonly messages?: readonly (string | Uint8Array)[];
  readonly trailingMetadata?: readonly Header[];
  readonly status?: number;
  readonly statusMessage?: string;
  readonly delayMs?: number;
}

export type HttpScript = (request: CalloutRequest) => CalloutResponse | "reset";
export type GrpcScript = (request: GrpcRequest) => GrpcAnswer | "reset";

/** A cluster that answers callouts as a test scripts it. It resets what it has no script for. */
export interface Upstream {
  on(script: HttpScript): void;
  onGrpc(script: GrpcScript): void;
}

export interface ScriptedUpstream extends Upstream {
  readonly http: HttpScript;
  readonly grpc: GrpcScript;
}

const UNAVAILABLE = 14;

export function createUpstream(): ScriptedUpstream {
  let http: HttpScript = () => "reset";
  let grpc: GrpcScript = () => ({ status: UNAVAILABLE });
  return {
    on: (script) => {
      http = script;
    },
    onGrpc: (script) => {
      grpc = script;
    },
    http: (request) => http(request),
    grpc: (request) => grpc(request),
  };
}
