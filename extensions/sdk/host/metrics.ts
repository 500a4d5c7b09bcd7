import type { Profile } from "./profile.ts";
import { Status } from "./status.ts";

/** The metrics of all VMs, by name. */
export interface MetricStore {
  readonly counters: Map<string, bigint>;
  readonly gauges: Map<string, bigint>;
  readonly histograms: Map<string, bigint[]>;
}

export function createMetricStore(): MetricStore {
  return { counters: new Map(), gauges: new Map(), histograms: new Map() };
}

/** The metrics that one VM has defined, by id. */
export interface Metrics {
  define(kind: number, name: string): number | null;
  record(id: number, value: bigint): number;
  increment(id: number, delta: bigint): number;
  /** The value, or the status why there is none. */
  get(id: number): readonly [bigint] | number;
}

const [COUNTER, GAUGE, HISTOGRAM] = [0, 1, 2];

/** The low bits of an id tell its kind, so ids of one kind lie this far apart. */
const ID_STEP = 4;

export function createMetrics(
  { counters, gauges, histograms }: MetricStore,
  { recordsByAdding }: Profile,
): Metrics {
  const names: string[][] = [[], [], []];
  const nameOf = (id: number) => names[id % ID_STEP]?.[Math.floor(id / ID_STEP) - 1];
  const add = (values: Map<string, bigint>, name: string, delta: bigint) => {
    values.set(name, BigInt.asUintN(64, (values.get(name) ?? 0n) + delta));
    return Status.ok;
  };
  return {
    define: (kind, name) => {
      if (kind === COUNTER) counters.set(name, counters.get(name) ?? 0n);
      else if (kind === GAUGE) gauges.set(name, gauges.get(name) ?? 0n);
      else if (kind === HISTOGRAM) histograms.set(name, histograms.get(name) ?? []);
      else return null;
      return (names[kind]?.push(name) ?? 0) * ID_STEP + kind;
    },
    record: (id, value) => {
      const name = nameOf(id);
      if (name === undefined) return Status.notFound;
      if (id % ID_STEP === COUNTER && recordsByAdding) return add(counters, name, value);
      if (id % ID_STEP === COUNTER) counters.set(name, value);
      else if (id % ID_STEP === GAUGE) gauges.set(name, value);
      else histograms.get(name)?.push(value);
      return Status.ok;
    },
    increment: (id, delta) => {
      const name = nameOf(id);
      const kind = id % ID_STEP;
      if (kind === HISTOGRAM || (kind === COUNTER && delta <= 0n)) return Status.badArgument;
      if (name === undefined) return Status.notFound;
      return add(kind === COUNTER ? counters : gauges, name, delta);
    },
    get: (id) => {
      const name = nameOf(id);
      const kind = id % ID_STEP;
      if (kind === HISTOGRAM) return Status.badArgument;
      if (name === undefined) return Status.notFound;
      return [(kind === COUNTER ? counters : gauges).get(name) ?? 0n];
    },
  };
}
