import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What one kind of metric does when it is set again. */
type MetricType = "counter" | "gauge";

/** Label sets that one metric may have: above it, a caller has put something unbounded in a label. */
const SERIES_MAX = 10_000;

/** Connections at once: a scraper, probes, and people who look. */
const CONNECTIONS_MAX = 256;

/** How long the head of a request may take, and how often that is looked at. */
const HEAD_MS_MAX = 10_000;
const LOOK_MS = 5_000;

export type Labels = Readonly<Record<string, string>>;

/** The metrics of a process, and whether each of its parts is well. */
export interface Monitor {
  /** A counter or gauge; names and labels as Prometheus wants them. */
  metric(name: string, type: MetricType, help: string): Metric;
  /** Adds a condition of readiness: a sentence that says why not, or undefined. */
  addReadiness(name: string, reason: () => string | undefined): void;
  /** Why the process is not ready, one sentence a part; empty if it is. */
  reasons(): readonly string[];
  /** All metrics in Prometheus' text format. */
  render(): string;
}

export interface Metric {
  add(value: number, labels?: Labels): void;
  set(value: number, labels?: Labels): void;
}

export function createMonitor(): Monitor {
  const metrics = new Map<string, { head: string; series: Map<string, number> }>();
  const readiness = new Map<string, () => string | undefined>();
  return {
    metric(name, type, help) {
      const found = metrics.get(name);
      const series = found?.series ?? new Map<string, number>();
      metrics.set(name, { head: `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`, series });
      const put = (value: number, labels: Labels): void => {
        const key = seriesKey(labels);
        if (series.size < SERIES_MAX || series.has(key)) series.set(key, value);
      };
      return {
        add: (value, labels = {}) => put((series.get(seriesKey(labels)) ?? 0) + value, labels),
        set: (value, labels = {}) => put(value, labels),
      };
    },
    addReadiness: (name, reason) => void readiness.set(name, reason),
    reasons: () =>
      [...readiness].flatMap(([name, reason]) => {
        const why = reason();
        return why === undefined ? [] : [`${name}: ${why}`];
      }),
    render: () =>
      [...metrics]
        .map(([name, { head, series }]) =>
          [head, ...[...series].map(([key, value]) => `${name}${key} ${value}\n`)].join(""),
        )
        .join(""),
  };
}

function seriesKey(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? "" : `{${pairs.sort().join(",")}}`;
}

/** Serves `/ready`, `/livez`, `/version` and `/metrics` (ux.md section 5 names them as istiod does). */
export async function serveMonitor(
  monitor: Monitor,
  options: { readonly host: string; readonly port: number; readonly version: string },
): Promise<AsyncDisposable & { readonly port: number }> {
  const limits = { headersTimeout: HEAD_MS_MAX, connectionsCheckingInterval: LOOK_MS };
  const server = createServer(limits, (request, response) => {
    const reply = (status: number, body: string): void => {
      response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(body);
    };
    const reasons = monitor.reasons();
    switch (request.url?.split("?")[0]) {
      case "/ready":
      case "/readyz":
        return reply(reasons.length === 0 ? 200 : 503, `${reasons.join("\n") || "ok"}\n`);
      case "/livez":
        return reply(200, "ok\n");
      case "/version":
        return reply(200, `${options.version}\n`);
      case "/metrics":
        return reply(200, monitor.render());
      default:
        return reply(404, "there are /ready, /livez, /version and /metrics\n");
    }
  });
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(options.port, options.host, done);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
