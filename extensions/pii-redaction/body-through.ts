import type { StartedPlugin } from "@weft/sdk/vitest";

/** A response's body: its content type, its pieces, and more of its headers. */
export interface Asked {
  readonly type?: string;
  readonly pieces: readonly (string | Uint8Array)[];
  readonly headers?: readonly (readonly [string, string])[];
}

/** A response's body after it went through a plugin, piece by piece. */
export function bodyThrough(
  started: StartedPlugin,
  { type = "text/plain", pieces, headers = [] }: Asked,
) {
  const stream = started.open();
  stream.requestHeaders([[":path", "/"]]);
  stream.responseHeaders([[":status", "200"], ["content-type", type], ...headers], false);
  for (const [i, piece] of pieces.entries()) stream.responseBody(piece, i === pieces.length - 1);
  const body = Buffer.from(stream.response.body).toString();
  stream.close();
  return body;
}
