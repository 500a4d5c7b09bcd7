import type { Header, Properties, Property } from "../host/index.ts";
import {
  anything,
  inside,
  kindOf,
  listOf,
  mapOf,
  objectOf,
  type Place,
  parseJson,
  type Reader,
  Slip,
  text,
  whole,
} from "./slip.ts";

/** A piece of a body: text, or bytes that are none. */
export type Chunk = string | { readonly base64: string };

/** A request or a response. A piece of the body is a callback of its own. */
export interface Message {
  readonly headers: readonly Header[];
  readonly body?: readonly Chunk[];
  readonly trailers?: readonly Header[];
}

/** What a cluster answers to a callout. */
export interface UpstreamAnswer {
  readonly status?: number;
  readonly headers?: readonly Header[];
  readonly body?: Chunk;
  readonly trailers?: readonly Header[];
  /** Virtual time until the answer is there. */
  readonly delayMs?: number;
  /** Whether there is no answer: the call is reset. */
  readonly reset?: boolean;
  /** Answers to gRPC calls instead. */
  readonly grpc?: UpstreamGrpcAnswer;
}

export interface UpstreamGrpcAnswer {
  readonly status?: number;
  readonly messages?: readonly Chunk[];
  readonly initialMetadata?: readonly Header[];
  readonly trailingMetadata?: readonly Header[];
}

/** What a host forces a hostcall to answer. */
export interface ForcedStatus {
  readonly call: string;
  /** Only this call of it, from 1; every one, unless told. */
  readonly nth?: number;
  readonly status: number;
}

/** What came out of an exchange when it was recorded; null for nothing. */
export interface Recorded {
  /** What the upstream got. */
  readonly request?: Message | null;
  /** What the client got. */
  readonly response?: Message | null;
}

/** What is around an exchange, whatever passes in it. */
interface Setting {
  /** Text as it is, anything else as JSON. */
  readonly configuration?: unknown;
  /** In place of it: bytes that are no text. */
  readonly configurationBase64?: string;
  readonly rootId?: string;
  /** Whole numbers are integers to the plugin, others doubles. */
  readonly properties?: Properties;
  /** By cluster; of several answers each is given once, the last one for good. */
  readonly upstreams?: Readonly<Record<string, UpstreamAnswer | readonly UpstreamAnswer[]>>;
  readonly faults?: readonly ForcedStatus[];
}

/** One request through a plugin, and what an upstream answers to it. */
export interface HttpExchange extends Setting {
  readonly request: Message;
  /** Absent where nothing comes back, and where the plugin is expected to answer itself. */
  readonly response?: Message;
  /** To be compared with what comes out now. */
  readonly recorded?: Recorded;
}

/** One TCP connection through a plugin: what the client sends, then what the upstream sends. */
export interface TcpExchange extends Setting {
  readonly connection: {
    readonly downstream?: readonly Chunk[];
    readonly upstream?: readonly Chunk[];
  };
}

/** What passes through a plugin once, as files hold it. */
export type Exchange = HttpExchange | TcpExchange;

export function isTcp(exchange: Exchange): exchange is TcpExchange {
  return "connection" in exchange;
}

/** The longest delay of an answer: a minute of virtual time, as long as anything is waited for. */
const DELAY_MS_MAX = 60_000;

const STATUS_MAX = 599;
const GRPC_STATUS_MAX = 16;
const CALLS_MAX = 1_000_000;

const header: Reader<Header> = (value, place) => {
  const isPair = Array.isArray(value) && value.length === 2;
  if (!isPair || value.some((part) => typeof part !== "string")) {
    throw new Slip(place, `is ${kindOf(value)}, no header`, 'write ["name", "value"]');
  }
  const [name, held] = value as [string, string];
  if (name === "") throw new Slip(place, "has no name", 'write ["name", "value"]');
  return [name, held];
};

const headers = listOf(header);

const chunk: Reader<Chunk> = (value, place) => {
  if (typeof value === "string") return value;
  const isObject = typeof value === "object" && value !== null && "base64" in value;
  if (isObject && typeof value.base64 === "string" && Object.keys(value).length === 1) {
    return { base64: value.base64 };
  }
  throw new Slip(
    place,
    `is ${kindOf(value)}, no piece of a body`,
    'write "text" or {"base64": "…"}',
  );
};

const message = objectOf<Message>({ headers, body: listOf(chunk), trailers: headers }, ["headers"]);

const flag: Reader<boolean> = (value, place) => {
  if (typeof value === "boolean") return value;
  throw new Slip(place, `is ${kindOf(value)}`, "write true or false");
};

const answer = objectOf<UpstreamAnswer>({
  status: whole(100, STATUS_MAX),
  headers,
  body: chunk,
  trailers: headers,
  delayMs: whole(0, DELAY_MS_MAX),
  reset: flag,
  grpc: objectOf<UpstreamGrpcAnswer>({
    status: whole(0, GRPC_STATUS_MAX),
    messages: listOf(chunk),
    initialMetadata: headers,
    trailingMetadata: headers,
  }),
});

const answers: Reader<UpstreamAnswer | readonly UpstreamAnswer[]> = (value, place) => {
  if (!Array.isArray(value)) return answer(value, place);
  if (value.length === 0) throw new Slip(place, "has no answer", "write at least one");
  return listOf(answer)(value, place);
};

/** JSON knows one kind of number, properties know two: what is whole becomes an integer. */
const property: Reader<Property> = (value, place) => {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item, index) => property(item, inside(place, index)));
  if (value === null) throw new Slip(place, "is null", "leave the property out");
  const { base64 } = value as { base64?: unknown };
  if (typeof base64 === "string") return new Uint8Array(Buffer.from(base64, "base64"));
  return mapOf(property)(value, place);
};

const fault = objectOf<ForcedStatus>(
  { call: text, nth: whole(1, CALLS_MAX), status: whole(0, 255) },
  ["call", "status"],
);

const setting = {
  configuration: anything as Reader<object>,
  configurationBase64: text,
  rootId: text,
  properties: mapOf(property),
  upstreams: mapOf(answers),
  faults: listOf(fault),
};

const messageOrNull: Reader<Message | null> = (value, place) => {
  return value === null ? null : message(value, place);
};

const recorded = objectOf<Recorded>({ request: messageOrNull, response: messageOrNull });

const httpExchange = objectOf<HttpExchange>(
  { ...setting, request: message, response: message, recorded },
  ["request"],
);

const tcpExchange = objectOf<TcpExchange>({
  ...setting,
  connection: objectOf<TcpExchange["connection"]>({
    downstream: listOf(chunk),
    upstream: listOf(chunk),
  }),
});

/** Reads an exchange out of JSON. @throws Slip */
export function readExchange(value: unknown, place: Place): Exchange {
  const isConnection = typeof value === "object" && value !== null && "connection" in value;
  return isConnection ? tcpExchange(value, place) : httpExchange(value, place);
}

/** Exchanges of one file: more than a replay could print about. */
const EXCHANGES_MAX = 1_000_000;

/** Reads a file that holds one exchange or, if its name ends in .jsonl, one a line. @throws Slip */
export function readExchanges(content: string, file: string): Exchange[] {
  if (!file.endsWith(".jsonl")) {
    const place = { file, path: [] };
    return [readExchange(parseJson(content, place), place)];
  }
  const lines = content.split("\n");
  if (lines.length > EXCHANGES_MAX) {
    const place = { file, line: EXCHANGES_MAX, path: [] };
    throw new Slip(place, `holds more than ${EXCHANGES_MAX} exchanges`, "split the file");
  }
  return lines.flatMap((line, index) => {
    const place = { file, line: index + 1, path: [] };
    return line.trim() === "" ? [] : [readExchange(parseJson(line, place), place)];
  });
}

export function bytesOf(piece: Chunk): Uint8Array {
  return typeof piece === "string" ? Buffer.from(piece) : Buffer.from(piece.base64, "base64");
}

/** The shortest way to write these bytes: as text, if they are UTF-8. */
export function chunkOf(bytes: Uint8Array): Chunk {
  const buffer = Buffer.from(bytes);
  const asText = buffer.toString();
  return Buffer.from(asText).equals(buffer) ? asText : { base64: buffer.toString("base64") };
}

/** A configuration as the plugin gets it. */
export function configurationBytes({ configuration, configurationBase64 }: Exchange): Uint8Array {
  if (configurationBase64 !== undefined) return Buffer.from(configurationBase64, "base64");
  if (configuration instanceof Uint8Array) return configuration;
  if (configuration === undefined) return new Uint8Array();
  const isText = typeof configuration === "string";
  return Buffer.from(isText ? configuration : JSON.stringify(configuration));
}
