import { isPort } from "@weft/core/mesh";
import type { AddressSchema } from "@weft/proto/envoy/config/core/v3/address_pb.ts";
import type { Init } from "./init.ts";

type AddressInit = Init<typeof AddressSchema>;

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
const IPV6 = /^(?=.*:.*:)[0-9a-f:]+(?:\d+\.\d+\.\d+\.\d+)?$/i;

/** Whether Envoy takes the text where it wants an IP address. */
export function isIp(text: string): boolean {
  return IPV4.test(text) || IPV6.test(text);
}

export function isLoopback(ip: string): boolean {
  return (IPV4.test(ip) && ip.startsWith("127.")) || ip === "::1";
}

/** An IP address or name with its port, or the path of `unix://path`. */
export function addressOf(host: string, port: number): AddressInit {
  if (host.startsWith("unix://")) {
    return { address: { case: "pipe", value: { path: host.slice("unix://".length) } } };
  }
  const portSpecifier = { case: "portValue", value: port } as const;
  return { address: { case: "socketAddress", value: { address: host, portSpecifier } } };
}

/** Takes `127.0.0.1:8080`, `[::1]:8080` or `unix:///path` apart; undefined for anything else. */
export function parseEndpoint(
  text: string,
): { readonly host: string; readonly port: number } | undefined {
  if (text.startsWith("unix://")) return { host: text, port: 0 };
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  return host === undefined || !isPort(port) ? undefined : { host, port };
}

/** As it stands in a Host header: IPv6 addresses in brackets. */
export function inHostHeader(host: string): string {
  return IPV6.test(host) ? `[${host}]` : host;
}
