import { isIP } from "node:net";
import { WeftError } from "@weft/core/error";
import type { Proxy as EnvoyProxy, InboundPort } from "@weft/core/mesh";

type Fields = Readonly<Record<string, unknown>>;

const FIELDS: readonly string[] = ["id", "type", "ip", "namespace", "labels", "metadata"];

const PORT_MAX = 65_535;

/**
 * Reads the description of a proxy: `{id, type, ip, namespace, labels, metadata}`. The metadata may
 * hold what an agent sends with the node: SERVICE_ACCOUNT, WEFT_HTTP_PROXY_PORT, WEFT_INBOUND. A
 * `router` may be called a `gateway`, as people do.
 *
 * @throws WeftError invalid `proxy.bad_description`
 */
export function readProxy(text: string, path: string): EnvoyProxy {
  const fields = asFields(parse(text, path), path);
  const refuse = (message: string): WeftError => bad(`${path}: ${message}`);
  const stranger = Object.keys(fields).find((field) => !FIELDS.includes(field));
  if (stranger !== undefined) throw refuse(`${stranger} is none of ${FIELDS.join(", ")}`);
  const { id, type = "sidecar", ip, namespace = "default", labels = {}, metadata = {} } = fields;
  if (typeof id !== "string" || id === "") throw refuse("id is not a text");
  const role = type === "gateway" ? "router" : type;
  if (role !== "sidecar" && role !== "router") throw refuse("type is not sidecar or router");
  if (typeof ip !== "string" || isIP(ip) === 0) throw refuse("ip is not an IP address");
  if (typeof namespace !== "string") throw refuse("namespace is not a text");
  const sent = asFields(metadata, `${path}: metadata`);
  const { SERVICE_ACCOUNT: serviceAccount = "", WEFT_INBOUND: inbound } = sent;
  if (typeof serviceAccount !== "string") throw refuse("metadata.SERVICE_ACCOUNT is not a text");
  const httpProxyPort = readOptionalPort(sent["WEFT_HTTP_PROXY_PORT"]);
  if (httpProxyPort === null) throw refuse("metadata.WEFT_HTTP_PROXY_PORT is not a port");
  return {
    id,
    type: role,
    ip,
    namespace,
    labels: readLabels(labels, path),
    serviceAccount,
    ...(httpProxyPort === undefined ? {} : { httpProxyPort }),
    ...(inbound === undefined ? {} : { inbound: readInbound(inbound, path) }),
  };
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new WeftError("invalid", "proxy.bad_description", `${path} is not JSON: ${why}`, {
      cause,
    });
  }
}

function readLabels(labels: unknown, path: string): Record<string, string> {
  const entries = Object.entries(asFields(labels, `${path}: labels`)).map(([key, value]) => {
    if (typeof value !== "string") throw bad(`${path}: label ${key} is not a text`);
    return [key, value] as const;
  });
  return Object.fromEntries(entries);
}

function readInbound(value: unknown, path: string): InboundPort[] {
  if (!Array.isArray(value)) throw bad(`${path}: metadata.WEFT_INBOUND is not a list`);
  return value.map((entry: unknown, index) => {
    const at = `${path}: metadata.WEFT_INBOUND[${index}]`;
    const { port, endpoint } = asFields(entry, at);
    const number = readOptionalPort(port);
    if (typeof number !== "number") throw bad(`${at}.port is not a port`);
    if (typeof endpoint !== "string" || !/^\S+:\d{1,5}$/.test(endpoint)) {
      throw bad(`${at}.endpoint is not HOST:PORT`);
    }
    return { port: number, endpoint };
  });
}

/** A port as a number or a text; null for anything else that is there. */
function readOptionalPort(value: unknown): number | null | undefined {
  if (value === undefined) return undefined;
  const port = typeof value === "string" && value !== "" ? Number(value) : value;
  const isPort = typeof port === "number" && Number.isInteger(port) && port >= 1;
  return isPort && port <= PORT_MAX ? port : null;
}

function asFields(value: unknown, what: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw bad(`${what} is not an object`);
}

function bad(message: string): WeftError {
  return new WeftError("invalid", "proxy.bad_description", message);
}
