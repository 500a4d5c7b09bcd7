/** A header as Envoy tells it: `raw_value` holds what is no UTF-8. */
interface TapHeader {
  readonly key: string;
  readonly value?: string;
  readonly raw_value?: string;
}

interface TapHeaders {
  readonly headers?: readonly TapHeader[];
}

export interface TapBody {
  readonly as_bytes?: string;
  /** Whether there was more. */
  readonly truncated?: boolean;
}

/** One step of a request, as a tap streams it: one of the six fields stands in it. */
export interface TapSegment {
  readonly trace_id: string;
  readonly request_headers?: TapHeaders;
  readonly request_body_chunk?: TapBody;
  readonly request_trailers?: TapHeaders;
  readonly response_headers?: TapHeaders;
  readonly response_body_chunk?: TapBody;
  readonly response_trailers?: TapHeaders;
}

/** The request of Envoy's admin page that has a tap stream what it sees, and what to find in it. */
export function tapRequest(tapId: string, chunkBytesMax: number): string {
  return JSON.stringify({
    config_id: tapId,
    tap_config: {
      match: { any_match: true },
      output_config: {
        // Whole traces would show headers as the plugin has left them.
        streaming: true,
        max_buffered_rx_bytes: chunkBytesMax,
        max_buffered_tx_bytes: chunkBytesMax,
        sinks: [{ format: "JSON_BODY_AS_BYTES", streaming_admin: {} }],
      },
    },
  });
}

/** The segment in what a tap has written; null for anything else. */
export function segmentIn(written: unknown): TapSegment | null {
  const { http_streamed_trace_segment: segment } = written as {
    readonly http_streamed_trace_segment?: TapSegment;
  };
  return segment ?? null;
}

/** Names and values in order. */
export function headersIn({ headers = [] }: TapHeaders): [string, string][] {
  return headers.map(({ key, value = "", raw_value: raw = "" }) => {
    return [key, raw === "" ? value : Buffer.from(raw, "base64").toString("latin1")];
  });
}

/** The bytes of a chunk. */
export function bytesIn({ as_bytes: base64 = "" }: TapBody): Buffer {
  return Buffer.from(base64, "base64");
}
