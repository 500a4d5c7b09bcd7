import { WeftError } from "../error.ts";
import { eachField } from "./wire.ts";

/** The two encodings of the protocol: state of the world, and incremental. */
export type Variant = "sotw" | "delta";

interface RequestBase {
  /** Empty where the path implies it. */
  readonly typeUrl: string;
  /** The encoded Node, where it was there and wanted. */
  readonly node: Buffer | undefined;
  /** Of the response that this answers; empty for a request of the client's own. */
  readonly nonce: string;
  /** Why the client refused that response: a NACK. Undefined for an ACK. */
  readonly refusal: string | undefined;
}

export interface SotwRequest extends RequestBase {
  readonly variant: "sotw";
  readonly versionInfo: string;
  /** Everything the client wants of this type. */
  readonly names: readonly string[];
}

export interface DeltaRequest extends RequestBase {
  readonly variant: "delta";
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** What the client says it holds, by name. */
  readonly versions: ReadonlyMap<string, string>;
}

export type DiscoveryRequest = SotwRequest | DeltaRequest;

/** Longer than any name Istio builds of a service, a subset, a port and a domain. */
const NAME_BYTES_MAX = 4096;

/** Names in one request: twice the largest mesh in view (xds.md A10). */
const NAMES_MAX = 200_000;

/** Envoy cuts its messages itself; this holds for clients that do not. */
const REFUSAL_CHARS_MAX = 4096;

/**
 * Reads a discovery request by hand: a reconnecting proxy sends a map of all its versions, and
 * every request may repeat a node of 60 KB, which is passed over unless it is wanted.
 *
 * @throws WeftError invalid `xds.bad_request`
 */
export function readRequest(
  variant: Variant,
  message: Buffer,
  options: { readonly wantsNode: boolean },
): DiscoveryRequest {
  return variant === "sotw" ? readSotw(message, options) : readDelta(message, options);
}

/** DiscoveryRequest of discovery.proto. */
function readSotw(message: Buffer, { wantsNode }: { readonly wantsNode: boolean }): SotwRequest {
  const names: string[] = [];
  let [versionInfo, typeUrl, nonce] = ["", "", ""];
  let node: Buffer | undefined;
  let refusal: string | undefined;
  eachField(message, ({ number, bytes }) => {
    if (number === 1) versionInfo = text(bytes);
    else if (number === 2 && wantsNode) node = bytes;
    else if (number === 3) pushName(names, bytes);
    else if (number === 4) typeUrl = text(bytes);
    else if (number === 5) nonce = text(bytes);
    else if (number === 6) refusal = readStatus(bytes);
  });
  return { variant: "sotw", typeUrl, node, nonce, refusal, versionInfo, names };
}

/** DeltaDiscoveryRequest of discovery.proto. */
function readDelta(message: Buffer, { wantsNode }: { readonly wantsNode: boolean }): DeltaRequest {
  const subscribe: string[] = [];
  const unsubscribe: string[] = [];
  const versions = new Map<string, string>();
  let [typeUrl, nonce] = ["", ""];
  let node: Buffer | undefined;
  let refusal: string | undefined;
  eachField(message, ({ number, bytes }) => {
    if (number === 1 && wantsNode) node = bytes;
    else if (number === 2) typeUrl = text(bytes);
    else if (number === 3) pushName(subscribe, bytes);
    else if (number === 4) pushName(unsubscribe, bytes);
    else if (number === 5) readVersion(versions, bytes);
    else if (number === 6) nonce = text(bytes);
    else if (number === 7) refusal = readStatus(bytes);
  });
  return { variant: "delta", typeUrl, node, nonce, refusal, subscribe, unsubscribe, versions };
}

/** An entry of map<string, string>: key 1, value 2. */
function readVersion(versions: Map<string, string>, entry: Buffer): void {
  let [name, version] = ["", ""];
  eachField(entry, ({ number, bytes }) => {
    if (number === 1) name = text(bytes);
    else if (number === 2) version = text(bytes);
  });
  if (versions.size >= NAMES_MAX) throw tooMany();
  versions.set(name, version);
}

/** The message of a google.rpc.Status. */
function readStatus(status: Buffer): string {
  let message = "";
  eachField(status, ({ number, bytes }) => {
    if (number === 2) message = bytes.toString("utf8", 0, REFUSAL_CHARS_MAX);
  });
  return message === "" ? "no reason given" : message;
}

function pushName(names: string[], bytes: Buffer): void {
  if (names.length >= NAMES_MAX) throw tooMany();
  names.push(text(bytes));
}

function text(bytes: Buffer): string {
  if (bytes.length > NAME_BYTES_MAX) {
    const message = `a name of ${bytes.length} bytes, at most ${NAME_BYTES_MAX}`;
    throw new WeftError("invalid", "xds.bad_request", message);
  }
  return bytes.toString("utf8");
}

function tooMany(): WeftError {
  return new WeftError("invalid", "xds.bad_request", `more than ${NAMES_MAX} names in a request`);
}
