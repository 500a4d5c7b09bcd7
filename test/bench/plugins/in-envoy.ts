import { readdirSync, readFileSync } from "node:fs";
import { type Filter, type FilterEnvoy, startFilterEnvoy } from "../../world/filter-envoy.ts";
import { type Client, createClient } from "./client.ts";

/** One way to filter, and the request that it is measured with. */
export interface Subject {
  readonly name: string;
  readonly filters: readonly Filter[];
  /** What it is compared with: no filter, unless told. */
  readonly without?: readonly Filter[];
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly path: string;
}

/** What a subject adds to an Envoy without it. */
export interface Added {
  readonly name: string;
  /** Of the differences between windows that stand side by side. */
  readonly cpuUs: Spread;
  /** Of all requests with it, less that of all without it. */
  readonly p50Us: number;
  readonly p99Us: number;
}

/** A median and the quartiles around it. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** What an Envoy takes without a filter. */
export interface Bare {
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** In the windows that CPU was measured in. */
  readonly requestsPerSecond: number;
}

export interface Measured {
  readonly added: readonly Added[];
  readonly bare: Bare;
}

export interface Plan {
  /** Pairs of windows for each subject. */
  readonly rounds: number;
  readonly cpuMs: number;
  readonly latencyMs: number;
}

/** Enough to keep Envoy's worker busy. Latency is measured with one, which waits for nobody. */
const CONNECTIONS = 8;

/** The chain that a subject is compared with. */
const withoutIt = (name: string) => `${name}: without`;

/** What Envoy answers itself: an upstream would share the machine with it. */
const ANSWER = "answered";

/**
 * Measures subjects in one Envoy that has them all. A window with a subject stands beside one
 * without, A B A B, so that what the machine does otherwise falls on both.
 */
export async function measureInEnvoy(subjects: readonly Subject[], plan: Plan): Promise<Measured> {
  const chains = new Map<string, readonly Filter[]>();
  for (const { name, filters, without = [] } of subjects) {
    chains.set(name, filters).set(withoutIt(name), without);
  }
  const envoy = await startFilterEnvoy({ chains, answer: ANSWER });
  try {
    const pairs: Pair[] = [];
    for (const subject of subjects) pairs.push(await openPair(envoy, subject));
    for (const pair of pairs) await round(envoy, pair, plan); // Warms caches and V8's compilers.
    for (const { windows } of pairs) windows.length = 0;
    for (let left = plan.rounds; left > 0; left--) {
      for (const pair of pairs) await round(envoy, pair, plan);
    }
    for (const { plain, filtered } of pairs) {
      plain.close();
      filtered.close();
    }
    return { added: pairs.map(added), bare: bareOf(pairs) };
  } finally {
    await envoy.close();
  }
}

/** What one window showed. */
interface Figures {
  readonly cpuUs: number;
  readonly requestsPerSecond: number;
  readonly latenciesUs: readonly number[];
}

/** A subject's clients, with and without it, and what their windows have shown so far. */
interface Pair {
  readonly name: string;
  /** Whether it is compared with no filter at all. */
  readonly isBare: boolean;
  readonly plain: Client;
  readonly filtered: Client;
  readonly windows: { readonly plain: Figures; readonly filtered: Figures }[];
}

async function openPair(envoy: FilterEnvoy, subject: Subject): Promise<Pair> {
  const { name, without = [], headers, path } = subject;
  const client = async (chain: string) => {
    const port = envoy.port(chain);
    if (port === undefined) throw new Error(`Envoy refuses the filter of ${chain}`);
    return await createClient({ port, connections: CONNECTIONS, headers, path });
  };
  const [plain, filtered] = [await client(withoutIt(name)), await client(name)];
  return { name, isBare: without.length === 0, plain, filtered, windows: [] };
}

async function round(envoy: FilterEnvoy, pair: Pair, plan: Plan): Promise<void> {
  const plain = await figures(envoy, pair.plain, plan);
  pair.windows.push({ plain, filtered: await figures(envoy, pair.filtered, plan) });
}

async function figures({ pid }: FilterEnvoy, client: Client, plan: Plan): Promise<Figures> {
  const before = cpuNs(pid);
  const { latenciesUs: busy } = await client.run({ connections: CONNECTIONS, ms: plan.cpuMs });
  const taken = Number(cpuNs(pid) - before);
  return {
    cpuUs: taken / 1_000 / busy.length,
    requestsPerSecond: (busy.length / plan.cpuMs) * 1_000,
    latenciesUs: (await client.run({ connections: 1, ms: plan.latencyMs })).latenciesUs,
  };
}

/** Time on a processor of all threads, as the scheduler counts it. */
function cpuNs(pid: number): bigint {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).reduce((sum, task) => {
    const [taken = "0"] = readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ");
    return sum + BigInt(taken);
  }, 0n);
}

const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
};

const latencies = (figures: readonly Figures[], share: number) =>
  quantile(
    figures.flatMap(({ latenciesUs }) => latenciesUs),
    share,
  );

function added({ name, windows }: Pair): Added {
  const cpu = windows.map(({ plain, filtered }) => filtered.cpuUs - plain.cpuUs);
  const [plain, filtered] = [
    windows.map((window) => window.plain),
    windows.map((window) => window.filtered),
  ];
  const later = (share: number) => latencies(filtered, share) - latencies(plain, share);
  return {
    name,
    cpuUs: { median: quantile(cpu, 0.5), low: quantile(cpu, 0.25), high: quantile(cpu, 0.75) },
    p50Us: later(0.5),
    p99Us: later(0.99),
  };
}

function bareOf(pairs: readonly Pair[]): Bare {
  const bare = pairs.filter(({ isBare }) => isBare);
  const plain = bare.flatMap(({ windows }) => windows.map((window) => window.plain));
  const median = (kind: "cpuUs" | "requestsPerSecond") =>
    quantile(
      plain.map((figure) => figure[kind]),
      0.5,
    );
  return {
    cpuUs: median("cpuUs"),
    p50Us: latencies(plain, 0.5),
    p99Us: latencies(plain, 0.99),
    requestsPerSecond: median("requestsPerSecond"),
  };
}
