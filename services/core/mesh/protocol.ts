import type { At } from "./limits.ts";
import { didYouMean } from "./suggest.ts";

/** What a port speaks first: what tells its protocols apart on one socket. */
export type ProtocolClass = "http" | "tls" | "tcp";

/** Protocols of a port by name (istio-api.md, 1.3 and 1.16). */
const PROTOCOLS: Readonly<Record<string, ProtocolClass>> = {
  GRPC: "http",
  "GRPC-WEB": "http",
  HBONE: "tls",
  HTTP: "http",
  HTTP2: "http",
  HTTPS: "tls",
  HTTP_PROXY: "http",
  MONGO: "tcp",
  MYSQL: "tcp",
  REDIS: "tcp",
  TCP: "tcp",
  TLS: "tls",
  UDP: "tcp",
};

/** What a protocol is on the wire; an unknown one is bytes. Names are compared without case. */
export function protocolClass(protocol: string): ProtocolClass {
  return PROTOCOLS[protocol.toUpperCase()] ?? "tcp";
}

export function checkProtocol(protocol: string, { report, field }: At): void {
  if (Object.hasOwn(PROTOCOLS, protocol.toUpperCase())) return;
  const help = didYouMean(protocol, Object.keys(PROTOCOLS));
  report.bad(field, `protocol ${JSON.stringify(protocol)} is unknown`, help);
}
