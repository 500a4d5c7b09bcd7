import { type Header, type HeaderMap, headerMap } from "./header-map.ts";

/** One HTTP stream through a plugin. */
export interface Stream {
  /** Sends the request's headers through, and answers them as the plugin leaves them. */
  requestHeaders(headers: readonly Header[]): Header[];
  responseHeaders(headers: readonly Header[]): Header[];
  close(): void;
}

/** Calls an export of the plugin, if it has it. */
export type Enter = (name: string, ...words: number[]) => number | undefined;

const REQUEST_HEADERS = 0;
const RESPONSE_HEADERS = 2;

/** Makes the stream of a context; `maps` holds what hostcalls may see, during a callback only. */
export function createStream(context: number, enter: Enter, maps: Map<number, HeaderMap>): Stream {
  const send = (kind: number, callback: string, headers: readonly Header[]): Header[] => {
    const map = headerMap(headers);
    maps.set(kind, map);
    enter(callback, context, headers.length, 1);
    maps.delete(kind);
    return map.entries();
  };
  return {
    requestHeaders: (headers) => send(REQUEST_HEADERS, "proxy_on_request_headers", headers),
    responseHeaders: (headers) => send(RESPONSE_HEADERS, "proxy_on_response_headers", headers),
    // In the order in which Envoy ends an HTTP stream.
    close: () => {
      enter("proxy_on_log", context);
      enter("proxy_on_done", context);
      enter("proxy_on_delete", context);
    },
  };
}
