import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { askAdmin } from "./admin.ts";

export interface HealthOptions {
  readonly host: string;
  readonly port: number;
  /** Why the workload should get no traffic; undefined if it should. */
  readonly reason: () => Promise<string | undefined>;
  readonly adminUrl: () => string;
}

/** Serves `/healthz/ready` as istio-agent does, and Envoy's `/stats/prometheus`. */
export async function serveHealth(
  options: HealthOptions,
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((request, response) => {
    answer(request.url ?? "", response).catch((error: unknown) => {
      reply(response, 503, error instanceof Error ? error.message : String(error));
    });
  });
  const answer = async (url: string, response: ServerResponse): Promise<void> => {
    switch (url.split("?")[0]) {
      case "/healthz/ready": {
        const reason = await options.reason();
        return reply(response, reason === undefined ? 200 : 503, reason ?? "ready");
      }
      case "/stats/prometheus": {
        const { status, body } = await askAdmin(`${options.adminUrl()}/stats/prometheus`);
        return reply(response, status, body);
      }
      default:
        return reply(response, 404, "there are /healthz/ready and /stats/prometheus");
    }
  };
  server.listen(options.port, options.host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function reply(response: ServerResponse, status: number, body: string): void {
  if (response.headersSent) return;
  const text = body.endsWith("\n") ? body : `${body}\n`;
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(text);
}
