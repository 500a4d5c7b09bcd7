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

/** `pages` tells how many the VM holds. */
export function createLedger(pages: () => number): Ledger {
  const accounts = new Map<string, Account>();
  const outer: Account[] = [];
  let current = open();
  let pagesSeen = 0;
  const settle = () => {
    const now = pages();
    current.pagesGrown += now - pagesSeen;
    pagesSeen = now;
  };
  return {
    get costs() {
      settle();
      return new Map([...accounts].map(([name, account]) => [name, { ...account }]));
    },
    begin: (callback) => {
      settle();
      outer.push(current);
      current = accounts.get(callback) ?? open();
      accounts.set(callback, current);
      current.calls++;
    },
    end: () => {
      settle();
      current = outer.pop() ?? open();
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
