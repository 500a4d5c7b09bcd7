import type { MutableGlobal } from "./webassembly.ts";

/** What a callback has cost: sums over all its calls so far. */
export interface Cost {
  /** How often the host has entered it. */
  readonly calls: number;
  /** WebAssembly instructions it has executed; 0 unless they are counted (`meter`). */
  readonly fuel: number;
  /** Calls of the host it has made, those that were refused or failed included. */
  readonly hostcalls: number;
  /** Bytes of texts, maps and buffers that those copied out of its memory and into it. */
  readonly bytesCopied: number;
  /** Blocks that the host had it allocate, to hand something over. */
  readonly allocations: number;
  /** Pages of 64 KiB by which its memory has grown. */
  readonly pagesGrown: number;
}

/**
 * Keeps the costs of one VM, by the export that the host has entered. Where one is entered while
 * another runs, each pays for itself; the allocator is no callback, so whoever it serves pays.
 */
export interface Ledger {
  /** As they are now: a copy. */
  readonly costs: ReadonlyMap<string, Cost>;
  /** Whether the callback that runs has used more than it may. */
  readonly isOutOfFuel: boolean;
  begin(callback: string): void;
  end(): void;
  /** Charges to the callback that runs. */
  charge(what: "hostcalls" | "bytesCopied" | "allocations", amount: number): void;
  /** Forgets everything so far. */
  reset(): void;
}

type Account = { -readonly [K in keyof Cost]: Cost[K] };

const open = (): Account => ({
  calls: 0,
  fuel: 0,
  hostcalls: 0,
  bytesCopied: 0,
  allocations: 0,
  pagesGrown: 0,
});

/** What a ledger reads off a VM. */
export interface Gauges {
  readonly pages: () => number;
  /** The global that grows by instructions executed; absent unless they are counted. */
  readonly fuel: MutableGlobal<bigint> | undefined;
  /** What a callback may use, where fuel is counted. */
  readonly fuelMax: number | undefined;
}

/** Where fuel starts that has no limit: no callback gets from there to zero. */
const UNLIMITED = -(2n ** 63n);

export function createLedger({ pages, fuel = { value: 0n }, fuelMax }: Gauges): Ledger {
  const accounts = new Map<string, Account>();
  const outer: { readonly account: Account; readonly fuel: bigint }[] = [];
  const fuelStart = fuelMax === undefined ? UNLIMITED : -BigInt(fuelMax);
  let current = open();
  let pagesSeen = 0;
  let fuelSeen = fuel.value;
  const settle = () => {
    const now = pages();
    current.pagesGrown += now - pagesSeen;
    pagesSeen = now;
    if (fuel.value === fuelSeen) return;
    current.fuel += Number(fuel.value - fuelSeen);
    fuelSeen = fuel.value;
  };
  const refuel = (value: bigint) => {
    fuel.value = value;
    fuelSeen = value;
  };
  return {
    get costs() {
      settle();
      return new Map([...accounts].map(([name, account]) => [name, { ...account }]));
    },
    get isOutOfFuel() {
      return fuel.value > 0n;
    },
    begin: (callback) => {
      settle();
      outer.push({ account: current, fuel: fuelSeen });
      refuel(fuelStart);
      current = accounts.get(callback) ?? open();
      accounts.set(callback, current);
      current.calls++;
    },
    end: () => {
      settle();
      const before = outer.pop();
      current = before?.account ?? open();
      refuel(before?.fuel ?? 0n);
    },
    charge: (what, amount) => {
      current[what] += amount;
    },
    reset: () => {
      settle();
      accounts.clear();
    },
  };
}
