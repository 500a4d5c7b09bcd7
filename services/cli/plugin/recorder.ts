import { isUtf8 } from "node:buffer";
import { redact } from "./redact.ts";
import { bytesIn, headersIn, type TapBody, type TapSegment } from "./tap-segment.ts";

type Header = readonly [string, string];

/** A piece of a body: text, or bytes that are none. */
type Chunk = string | { readonly base64: string };

interface Message {
  readonly headers: readonly Header[];
  readonly body?: readonly Chunk[];
  readonly trailers?: readonly Header[];
}

/** What the plugin that was recorded runs with. */
export interface RecordedSetting {
  readonly configuration?: unknown;
  readonly rootId?: string;
}

/** A request as it came to the plugin, and what the upstream answered: as the workshop plays it. */
export interface RecordedExchange extends RecordedSetting {
  readonly request: Message;
  /** Absent where the plugin has answered itself. */
  readonly response?: Message;
}

export interface RecorderOptions {
  /** Bytes of a body: an exchange with more is left out. */
  readonly bodyBytesMax: number;
  /** What the path must begin with. */
  readonly pathPrefix: string;
  readonly keepsSecrets: boolean;
  /** Whether there is a tap behind the plugin, too: what that has not seen the plugin has answered. */
  readonly hasBehind: boolean;
}

/** Makes exchanges of what taps tell. */
export interface Recorder {
  /** Takes a segment that came at a time, in milliseconds. */
  take(segment: TapSegment, at: number): void;
  /** The exchanges that are whole by now; `Infinity` takes those that are under way, too. */
  finish(now: number): RecordedExchange[];
  /** How many were left out, since a body of theirs is too long. */
  readonly tooLong: number;
}

/** A tap does not say that a body without a length has ended: it has, after so long a silence. */
const SILENCE_MS = 1_000;

/** Requests under way: beyond them the oldest is forgotten. */
const STREAMS_MAX = 1_000;

/** A request or a response, as it comes. */
interface Side {
  headers?: Header[];
  readonly chunks: Buffer[];
  trailers?: Header[];
  bytes: number;
}

/** A stream as one tap sees it. */
interface Seen {
  readonly request: Side;
  readonly response: Side;
  lastAt: number;
}

/** What is known of one request: before the plugin, and behind it where there is a tap. */
interface Exchange {
  readonly before: Seen;
  behind: Seen | undefined;
}

export function createRecorder(options: RecorderOptions): Recorder {
  const { bodyBytesMax, pathPrefix, keepsSecrets, hasBehind } = options;
  const streams = new Map<string, Seen>();
  /** By the request's id, which both taps see; by the tap's own where there is none. */
  const exchanges = new Map<string, Exchange>();
  let tooLong = 0;

  function begin({ trace_id: id, request_headers: told = {} }: TapSegment): Seen {
    const headers = headersIn(told);
    const seen: Seen = {
      request: { headers, chunks: [], bytes: 0 },
      response: { chunks: [], bytes: 0 },
      lastAt: 0,
    };
    const requestId = firstOf(headers, "x-request-id") ?? id;
    const known = exchanges.get(requestId);
    if (hasBehind && known !== undefined) known.behind = seen;
    else exchanges.set(requestId, { before: seen, behind: undefined });
    streams.set(id, seen);
    if (exchanges.size > STREAMS_MAX) forget(exchanges.keys().next().value ?? "");
    return seen;
  }

  function forget(requestId: string): void {
    const gone = exchanges.get(requestId);
    exchanges.delete(requestId);
    for (const [id, seen] of streams) {
      if (seen === gone?.before || seen === gone?.behind) streams.delete(id);
    }
  }

  /** What does not fit is counted, but not kept. */
  function add(side: Side, body: TapBody): void {
    const chunk = bytesIn(body);
    side.bytes += chunk.byteLength;
    if (body.truncated === true) side.bytes = Math.max(side.bytes, bodyBytesMax + 1);
    if (side.bytes <= bodyBytesMax) side.chunks.push(chunk);
  }

  function messageOf({ headers = [], chunks, trailers }: Side): Message {
    const shown = (all: readonly Header[]) => (keepsSecrets ? all : redact(all));
    return {
      headers: shown(headers),
      ...(chunks.length === 0 ? {} : { body: chunks.map(chunkOf) }),
      ...(trailers === undefined ? {} : { trailers: shown(trailers) }),
    };
  }

  return {
    get tooLong() {
      return tooLong;
    },
    take(segment, at) {
      const seen = segment.request_headers ? begin(segment) : streams.get(segment.trace_id);
      if (seen === undefined) return; // it was under way before
      seen.lastAt = at;
      const { request, response } = seen;
      if (segment.request_body_chunk) add(request, segment.request_body_chunk);
      if (segment.request_trailers) request.trailers = headersIn(segment.request_trailers);
      if (segment.response_headers) response.headers = headersIn(segment.response_headers);
      if (segment.response_body_chunk) add(response, segment.response_body_chunk);
      if (segment.response_trailers) response.trailers = headersIn(segment.response_trailers);
    },
    finish(now) {
      const whole: RecordedExchange[] = [];
      for (const [id, { before, behind }] of exchanges) {
        if (!isOver(before, now) || (behind !== undefined && !isOver(behind, now))) continue;
        forget(id);
        if (!(firstOf(before.request.headers, ":path") ?? "").startsWith(pathPrefix)) continue;
        const response = hasBehind ? behind?.response : before.response;
        if (Math.max(before.request.bytes, response?.bytes ?? 0) > bodyBytesMax) tooLong += 1;
        else {
          const answered = response?.headers === undefined ? {} : { response: messageOf(response) };
          whole.push({ request: messageOf(before.request), ...answered });
        }
      }
      return whole;
    },
  };
}

/** Whether nothing more can come, or nothing has for long enough. */
function isOver({ request, response, lastAt }: Seen, now: number): boolean {
  if (response.headers === undefined) return now === Number.POSITIVE_INFINITY;
  const status = firstOf(response.headers, ":status") ?? "";
  const length = firstOf(response.headers, "content-length");
  const isBare = firstOf(request.headers, ":method") === "HEAD" || /^(204|304)$/.test(status);
  const isWhole = length !== undefined && response.bytes >= Number(length);
  return isBare || isWhole || response.trailers !== undefined || now - lastAt >= SILENCE_MS;
}

function firstOf(headers: readonly Header[] | undefined, name: string): string | undefined {
  return headers?.find(([each]) => each === name)?.[1];
}

function chunkOf(bytes: Buffer): Chunk {
  return isUtf8(bytes) ? bytes.toString("utf8") : { base64: bytes.toString("base64") };
}
