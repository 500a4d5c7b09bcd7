import { isIP } from "node:net";
import { fromBinary, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { WeftError } from "@weft/core/error";
import { type Proxy as EnvoyProxy, type InboundPort, isPort } from "@weft/core/mesh";
import { type Node, NodeSchema } from "@weft/proto/envoy/config/core/v3/base_pb.ts";

/** What an Envoy says of itself in its first request. */
export interface ProxyNode {
  readonly proxy: EnvoyProxy;
  /** `1.40.0`; empty if it does not say. */
  readonly envoyVersion: string;
}

/** Ports of one workload: a process that listens on more is none. */
const INBOUND_PORTS_MAX = 1_000;

/**
 * Reads the node of a first request: the id `sidecar~ip~name.namespace~domain` (or `router~…`), and
 * of its metadata what Istio's agents send (NAMESPACE, LABELS, SERVICE_ACCOUNT, INSTANCE_IPS) and
 * what Weft's does (WEFT_HTTP_PROXY_PORT, WEFT_INBOUND).
 *
 * @throws WeftError invalid `xds.bad_request`, saying what of the node is wrong.
 */
export function readNode(bytes: Uint8Array): ProxyNode {
  const node = decode(bytes);
  const metadata = node.metadata ?? {};
  const [type, address = "", qualified = "", domain, ...rest] = node.id.split("~");
  if ((type !== "sidecar" && type !== "router") || domain === undefined || rest.length > 0) {
    throw refused(`node id ${quote(node.id)} is not sidecar|router~ip~name.namespace~domain`);
  }
  const httpProxyPort = readPort(metadata, "WEFT_HTTP_PROXY_PORT");
  const inbound = readInbound(metadata["WEFT_INBOUND"]);
  return {
    proxy: {
      id: node.id,
      type,
      ip: readAddress(address, metadata["INSTANCE_IPS"]),
      namespace: readText(metadata, "NAMESPACE") || namespaceOf(node.id, qualified),
      labels: readLabels(metadata["LABELS"]),
      serviceAccount: readText(metadata, "SERVICE_ACCOUNT"),
      ...(httpProxyPort === undefined ? {} : { httpProxyPort }),
      ...(inbound === undefined ? {} : { inbound }),
    },
    envoyVersion: versionOf(node),
  };
}

/** Nodes are read once per stream; the 61 KB of extension names in them are of no use here. */
function decode(bytes: Uint8Array): Node {
  try {
    return fromBinary(NodeSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw new WeftError("invalid", "xds.bad_request", "the node is not protobuf", { cause });
  }
}

function namespaceOf(id: string, qualified: string): string {
  const namespace = qualified.slice(qualified.lastIndexOf(".") + 1);
  if (!qualified.includes(".") || namespace === "") {
    throw refused(`node id ${quote(id)} has no namespace, nor has metadata NAMESPACE`);
  }
  return namespace;
}

/** The id's address, or the first of INSTANCE_IPS where that says nothing. */
function readAddress(address: string, instanceIps: JsonValue | undefined): string {
  if (instanceIps !== undefined && typeof instanceIps !== "string") {
    throw refused("metadata INSTANCE_IPS is not a text");
  }
  const first = instanceIps?.split(",")[0]?.trim() ?? "";
  const ip = address === "" || address === "0.0.0.0" ? first : address;
  if (isIP(ip) === 0) throw refused(`${quote(ip)} is no IP address of a proxy`);
  return ip;
}

function readText(metadata: JsonObject, key: string): string {
  const value = metadata[key] ?? "";
  if (typeof value !== "string") throw refused(`metadata ${key} is not a text`);
  return value;
}

function readLabels(labels: JsonValue | undefined): Readonly<Record<string, string>> {
  if (labels === undefined || labels === null) return {};
  if (!isObject(labels)) throw refused("metadata LABELS is not an object");
  const entries = Object.entries(labels).map(([key, value]) => {
    if (typeof value !== "string") throw refused(`label ${quote(key)} is not a text`);
    return [key, value] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function readPort(metadata: JsonObject, key: string): number | undefined {
  const value = metadata[key];
  if (value === undefined || value === null) return undefined;
  const port = Number(value);
  if (!isPort(port)) throw refused(`metadata ${key} ${quote(String(value))} is no port`);
  return port;
}

function readInbound(value: JsonValue | undefined): readonly InboundPort[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw refused("metadata WEFT_INBOUND is not a list");
  if (value.length > INBOUND_PORTS_MAX) {
    throw refused(`metadata WEFT_INBOUND has more than ${INBOUND_PORTS_MAX} ports`);
  }
  return value.map((entry, index) => {
    const at = `metadata WEFT_INBOUND[${index}]`;
    if (!isObject(entry)) throw refused(`${at} is not an object`);
    const { port, endpoint } = entry;
    if (typeof port !== "number" || !isPort(port)) throw refused(`${at}.port is no port`);
    if (typeof endpoint !== "string" || !isEndpoint(endpoint)) {
      throw refused(`${at}.endpoint is not ip:port`);
    }
    return { port, endpoint };
  });
}

/** `127.0.0.1:8080` or `[::1]:8080`. */
function isEndpoint(endpoint: string): boolean {
  const colon = endpoint.lastIndexOf(":");
  const [host, port] = [endpoint.slice(0, colon), endpoint.slice(colon + 1)];
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  return isIP(bare) === (bare === host ? 4 : 6) && /^\d+$/.test(port) && isPort(Number(port));
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function versionOf({ userAgentVersionType: version }: Node): string {
  if (version.case === "userAgentVersion") return version.value;
  const number = version.value?.version;
  if (number === undefined) return "";
  return `${number.majorNumber}.${number.minorNumber}.${number.patch}`;
}

function refused(message: string): WeftError {
  return new WeftError("invalid", "xds.bad_request", message);
}

/** What a stranger sent, short enough for a message. */
function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
