import { type IncomingMessage, request } from "node:http";

/** A healthy admin page answers in milliseconds; a listing of many statistics takes longer. */
const ANSWER_MS_MAX = 5_000;

/** All statistics of an Envoy with thousands of clusters. */
const BODY_BYTES_MAX = 64 << 20;

export interface AdminAnswer {
  readonly status: number;
  readonly body: string;
}

/** Asks Envoy's admin page. @throws Error if it does not answer in time, or in too many words. */
export function askAdmin(url: string, method: "GET" | "POST" = "GET"): Promise<AdminAnswer> {
  return new Promise((done, fail) => {
    // No connection is kept: Envoy would wait for it when it drains.
    const asked = request(url, {
      method,
      agent: false,
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    asked.once("error", fail);
    asked.once("response", (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > BODY_BYTES_MAX) asked.destroy(new Error(`${url} answers too much`));
        else chunks.push(chunk);
      });
      response.once("error", fail);
      response.once("end", () => {
        done({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
      });
    });
    asked.end();
  });
}

/** Whether an Envoy has all it needs to serve; false where nothing answers. */
export async function isLive(adminUrl: string): Promise<boolean> {
  try {
    return (await askAdmin(`${adminUrl}/ready`)).status === 200;
  } catch {
    return false; // it starts, or it has crashed: either way it serves nobody
  }
}

/** HTTP requests and TCP connections that an Envoy carries now. */
export async function countActive(adminUrl: string): Promise<number> {
  const filter = "^(http|listener)\\..*downstream_(rq|cx)_active$";
  const { body } = await askAdmin(`${adminUrl}/stats?filter=${encodeURIComponent(filter)}`);
  let [requests, connections] = [0, 0];
  for (const [, name = "", value = "0"] of body.matchAll(/^(.*): (\d+)$/gm)) {
    if (/^(http|listener)\.admin\./.test(name) || /\.worker_\d+\./.test(name)) continue;
    if (name.startsWith("listener.")) connections += Number(value);
    else if (name.endsWith("_rq_active")) requests += Number(value);
    // A connection that HTTP was spoken on counts by its requests: idle ones may be cut.
    else connections -= Number(value);
  }
  return requests + Math.max(0, connections);
}
