import type { LocalResponse } from "./context.ts";
import { grpcStatusOf } from "./grpc-status.ts";
import type { Header, HeaderMap } from "./header-map.ts";

/** A response as it goes on. */
export interface Message {
  readonly headers: readonly Header[];
  readonly body: Uint8Array;
}

const text = (body: Uint8Array) => Buffer.from(body).toString();

/** Makes a message of what a plugin answers itself: to gRPC a status of gRPC, with its words. */
export function messageOf(local: LocalResponse, request: HeaderMap | null): Message {
  const own = local.headers.filter(([name]) => !name.startsWith(":"));
  if (isGrpc(request)) {
    const status = local.grpcStatus < 0 ? grpcStatusOf(local.status) : local.grpcStatus;
    const words: Header[] = local.body.length === 0 ? [] : [["grpc-message", text(local.body)]];
    const head: Header[] = [
      ...([
        [":status", "200"],
        ["content-type", "application/grpc"],
      ] as const),
      ...([["grpc-status", String(status)], ...words] as const),
    ];
    return { headers: [...head, ...own], body: new Uint8Array() };
  }
  // How long the body is Envoy knows better, and what is empty has no type.
  const isEmpty = local.body.byteLength === 0;
  const dropped = isEmpty ? /^content-(length|type)$/i : /^content-length$/i;
  const kept = own.filter(([name]) => !dropped.test(name));
  const length: Header = ["content-length", String(local.body.byteLength)];
  const hasType = kept.some(([name]) => name.toLowerCase() === "content-type");
  const about = hasType ? [length] : [length, ["content-type", "text/plain"] as const];
  const headers = isEmpty ? kept : [...kept, ...about];
  return { headers: [[":status", String(local.status)], ...headers], body: local.body };
}

/** "application/grpc", with what may follow it, but not "application/grpc-web". */
const isGrpc = (request: HeaderMap | null): boolean =>
  /^application\/grpc($|[+;])/.test(request?.first("content-type") ?? "");
