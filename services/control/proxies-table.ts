import { fromBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock, Logger } from "@weft/core/runtime";
import {
  type ProxyReport,
  ProxyReportSchema,
  type ProxyStatus,
} from "@weft/proto/weft/status/v1/proxy_pb.ts";

/** A replica reports every second: five are missed by one that is gone, not by one that is busy. */
export const SILENCE_MAX_MS = 5_000;

/** Replicas whose reports are kept. A mesh has some ten. */
const REPLICAS_MAX = 256;

/** Which proxies are connected to which replica, as the replicas tell. */
export interface ProxiesTable {
  /** Takes in a report as it came. @throws Error for bytes that are none */
  take(payload: Uint8Array): void;
  /** Every proxy once, by id in code unit order. */
  list(): readonly ProxyStatus[];
}

interface Heard {
  readonly report: ProxyReport;
  /** By our clock: that of another machine may be off. */
  readonly atMs: number;
}

/**
 * `hears` tells whether reports could come at all: while they cannot, silence says nothing of a
 * replica, and what was told last is shown.
 */
export function createProxiesTable(clock: Clock, hears: () => boolean = () => true): ProxiesTable {
  const heard = new Map<string, Heard>();
  const isSilent = ({ atMs }: Heard): boolean => clock.now() - atMs > SILENCE_MAX_MS;
  return {
    take(payload) {
      const report = fromBinary(ProxyReportSchema, payload);
      for (const [replica, each] of heard) {
        if (isSilent(each)) heard.delete(replica);
      }
      if (heard.size >= REPLICAS_MAX && !heard.has(report.replica)) return;
      heard.set(report.replica, { report, atMs: clock.now() });
    },
    list() {
      const byId = new Map<string, ProxyStatus>();
      const silenceCounts = hears();
      for (const each of heard.values()) {
        if (silenceCounts && isSilent(each)) continue;
        for (const proxy of each.report.proxies) {
          const other = byId.get(proxy.id);
          // A proxy that moved is told of by both replicas for a moment.
          if (other === undefined || connectedAtMs(other) <= connectedAtMs(proxy)) {
            byId.set(proxy.id, proxy);
          }
        }
      }
      return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    },
  };
}

/** Feeds the table with the reports of a mesh until disposed. */
export function followReports(
  table: ProxiesTable,
  options: { readonly nats: NatsConnection; readonly mesh: string; readonly log: Logger },
): Disposable {
  const { nats, mesh, log } = options;
  const subscription = nats.subscribe(`weft.${mesh}.hb.*`, {
    callback(error, message) {
      try {
        if (error !== null) throw error;
        table.take(message.data);
      } catch (err) {
        log.warn({ err, subject: message?.subject }, "a report of proxies was passed over");
      }
    },
  });
  return { [Symbol.dispose]: () => subscription.unsubscribe() };
}

function connectedAtMs({ connectedAt }: ProxyStatus): number {
  return connectedAt === undefined ? 0 : timestampMs(connectedAt);
}
