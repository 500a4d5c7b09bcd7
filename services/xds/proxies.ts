import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Clock, Logger, Monitor } from "@weft/core/runtime";
import type { OpenStream, StreamListener, TypeStatus } from "@weft/core/stream";
import {
  ProxyReportSchema,
  type ProxyStatus,
  ProxyStatusSchema,
  TypeStatusSchema,
} from "@weft/proto/weft/status/v1/proxy_pb.ts";
import type { ProxyNode } from "./node.ts";

/** The proxies connected to this replica, and what each of them has taken. */
export interface Proxies extends Disposable {
  /** Takes in a stream; what it answers is to be told to the listener that comes back. */
  add(stream: OpenStream, node: ProxyNode): StreamListener;
  list(): readonly ProxyStatus[];
  /** A revision is served: proxies that it changes nothing for have it already. */
  moved(): void;
}

export interface ProxiesOptions {
  readonly replica: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly monitor: Monitor;
  /** The revision that this replica serves. */
  revision(): number;
  /** Sends an encoded weft.status.v1.ProxyReport to whoever listens. */
  publish(report: Uint8Array): void;
}

interface Connection {
  readonly stream: OpenStream;
  readonly node: ProxyNode;
  readonly connectedAtMs: number;
  /** The last refusal that was logged, so that a repeated one is not. */
  lastNack: string;
  state: string;
  ackedRevision: number;
}

/** Silence of five reports makes a replica count as gone. */
const REPORT_INTERVAL_MS = 1_000;

/** Reports beside the regular ones: a change that reaches all proxies is told in a few, not in each. */
const REPORT_SOON_MS = 50;

/** About 0.5 KB each: a report stays well below NATS' 1 MB of payload. */
const PROXIES_PER_REPORT_MAX = 500;

export function createProxies(options: ProxiesOptions): Proxies {
  const { clock, log, monitor } = options;
  const connections = new Set<Connection>();
  const meters = createMeters(monitor);
  let soon: NodeJS.Timeout | undefined;

  const list = (): readonly ProxyStatus[] =>
    [...connections].map((connection) => describe(connection, options.replica));
  const report = (): void => {
    clearTimeout(soon);
    soon = undefined;
    for (const bytes of encodeReports(list(), options)) options.publish(bytes);
  };
  const reportSoon = (): void => {
    soon ??= setTimeout(report, REPORT_SOON_MS);
  };
  const interval = setInterval(report, REPORT_INTERVAL_MS);

  return {
    list,
    moved: reportSoon,
    add(stream, node) {
      const connection: Connection = {
        stream,
        node,
        connectedAtMs: clock.now(),
        lastNack: "",
        state: "",
        ackedRevision: 0,
      };
      connections.add(connection);
      meters.connected.set(connections.size);
      const proxy = node.proxy.id;
      return {
        sent({ type, resources }) {
          meters.pushes.add(1, { type: type.short });
          meters.istioPushes.add(1, { type: type.short.toLowerCase() });
          meters.resources.add(resources.length, { type: type.short });
        },
        answered({ type, refusal, names }) {
          const { state, ackedRevision } = stream.status();
          if (refusal !== undefined) {
            meters.nacks.add(1, { type: type.short });
            meters.istioRejects.add(1);
            logNack(connection, { log, type: type.short, refusal, names });
          }
          const isNews = state !== connection.state || ackedRevision !== connection.ackedRevision;
          if (refusal !== undefined || isNews) reportSoon();
          Object.assign(connection, { state, ackedRevision });
        },
        flagged: (sentence) => log.warn({ proxy }, sentence),
        closed() {
          connections.delete(connection);
          meters.connected.set(connections.size);
          reportSoon();
        },
      };
    },
    [Symbol.dispose]() {
      clearInterval(interval);
      clearTimeout(soon);
    },
  };
}

function createMeters(monitor: Monitor) {
  const counter = (name: string, help: string) => monitor.metric(name, "counter", help);
  return {
    pushes: counter("weft_xds_pushes_total", "Responses sent, by type."),
    istioPushes: counter("pilot_xds_pushes", "Responses sent, by type, as istiod names it."),
    nacks: counter("weft_xds_nacks_total", "Responses that a proxy refused, by type."),
    istioRejects: counter("pilot_total_xds_rejects", "Responses refused, as istiod names it."),
    resources: counter("weft_xds_resources_sent_total", "Resources sent, by type."),
    connected: monitor.metric("weft_xds_connected_proxies", "gauge", "Proxies connected here."),
  };
}

interface Nack {
  readonly log: Logger;
  readonly type: string;
  readonly refusal: string;
  readonly names: readonly string[];
}

/** Names in one line of the log. */
const LOGGED_NAMES_MAX = 10;

function logNack(connection: Connection, { log, type, refusal, names }: Nack): void {
  const nack = JSON.stringify([type, names, refusal]);
  if (nack === connection.lastNack) return;
  connection.lastNack = nack;
  const resources = names.slice(0, LOGGED_NAMES_MAX);
  log.warn({ proxy: connection.node.proxy.id, type, resources, refusal }, "a proxy refused");
}

function describe({ stream, node, connectedAtMs }: Connection, replica: string): ProxyStatus {
  const status = stream.status();
  return create(ProxyStatusSchema, {
    id: node.proxy.id,
    replica,
    ackedRevision: BigInt(status.ackedRevision),
    ...(status.ackedAtMs !== undefined && { ackedAt: timestampFromMs(status.ackedAtMs) }),
    connectedAt: timestampFromMs(connectedAtMs),
    state: status.state,
    types: status.types.map(describeType),
    envoyVersion: node.envoyVersion,
    spiffeId: stream.peer.spiffeId ?? "",
    resourcesSent: BigInt(status.resourcesSent),
  });
}

function describeType(status: TypeStatus) {
  return create(TypeStatusSchema, {
    type: status.type,
    resources: status.resources,
    ...(status.ackedAtMs !== undefined && { ackedAt: timestampFromMs(status.ackedAtMs) }),
    nack: status.nack,
    nackedResources: [...status.nackedResources],
    ...(status.nackedAtMs !== undefined && { nackedAt: timestampFromMs(status.nackedAtMs) }),
    acks: BigInt(status.acks),
    nacks: BigInt(status.nacks),
  });
}

/** One report, or several with numbered names where there are too many proxies for one. */
function encodeReports(
  proxies: readonly ProxyStatus[],
  { replica, revision, clock }: ProxiesOptions,
): readonly Uint8Array[] {
  const parts = Math.max(1, Math.ceil(proxies.length / PROXIES_PER_REPORT_MAX));
  return Array.from({ length: parts }, (_, part) => {
    const start = part * PROXIES_PER_REPORT_MAX;
    return toBinary(
      ProxyReportSchema,
      create(ProxyReportSchema, {
        replica: part === 0 ? replica : `${replica}/${part}`,
        revision: BigInt(revision()),
        at: timestampFromMs(clock.now()),
        proxies: proxies.slice(start, start + PROXIES_PER_REPORT_MAX),
      }),
    );
  });
}
