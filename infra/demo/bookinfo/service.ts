import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How long a page waits for a service behind it; longer than the faults the demo injects. */
const CALL_TIMEOUT_MS = 10_000;

/** Headers that carry a request's identity from hop to hop. */
const PASSED_ON = ["x-request-id", "end-user", "user-agent", "traceparent"];

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A handler answers a path, or undefined where there is nothing. */
export type Handler = (path: string, call: IncomingMessage) => Promise<Answer> | Answer | undefined;

/**
 * Serves JSON on 127.0.0.1, on `PORT` or a free port, and prints the port as its first line, so
 * that whoever started the program knows where it is.
 */
export function serve(handle: Handler): void {
  const server = createServer((call, response) => {
    Promise.resolve(handle(call.url ?? "/", call)).then(
      (answer) => reply(response, answer ?? { status: 404, body: { error: "not found" } }),
      (error: unknown) => reply(response, { status: 502, body: { error: String(error) } }),
    );
  });
  server.keepAliveTimeout = 60_000;
  server.listen(Number(process.env["PORT"] ?? 0), "127.0.0.1", () => {
    console.log((server.address() as AddressInfo).port);
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(0));
}

function reply(response: ServerResponse, { status, body }: Answer): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { "content-type": "application/json" }).end(text);
}

/**
 * Asks another service by its name, through the outbound proxy of the sidecar (`HTTP_PROXY_ADDRESS`,
 * host:port), as any program does that honours an HTTP proxy.
 */
export function call(url: string, from: IncomingMessage): Promise<Answer> {
  const { host: authority } = new URL(url);
  const [host = "", port = ""] = (process.env["HTTP_PROXY_ADDRESS"] ?? "").split(":");
  const headers: Record<string, string> = { host: authority };
  for (const name of PASSED_ON) {
    const value = from.headers[name];
    if (typeof value === "string") headers[name] = value;
  }
  return new Promise((done, fail) => {
    const asked = request(
      { host, port, path: url, headers, timeout: CALL_TIMEOUT_MS },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => done({ status: response.statusCode ?? 0, body: parse(text) }));
        response.on("error", fail);
      },
    );
    asked.on("timeout", () => asked.destroy(new Error(`${authority} did not answer`)));
    asked.on("error", fail);
    asked.end();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // an answer of the mesh itself, such as "no healthy upstream"
  }
}
