import type { CommandOutcome } from "./mesh.ts";

/**
 * How long a command is remembered, by the time of later commits: a client that retries after a day
 * has forgotten what it wanted.
 */
const REMEMBERED_MS = 24 * 60 * 60 * 1000;

/** Commands remembered however young: 10,000 a day is one every nine seconds. */
const REMEMBERED_MAX = 10_000;

/** The rows of one line of history, in order. Only its newest view may add to it. */
interface Ledger {
  readonly rows: { readonly id: string; readonly outcome: CommandOutcome }[];
  readonly rowOf: Map<string, number>;
}

/**
 * The commands that were carried out, by id. A view of rows `from` to `to` of a ledger that later
 * states share, so that a state costs no copy; one that is not the newest copies before it adds.
 * A class, because others compare and iterate it as the map it stands for.
 */
export class Commands implements ReadonlyMap<string, CommandOutcome> {
  readonly #ledger: Ledger;
  readonly #from: number;
  readonly #to: number;

  private constructor(ledger: Ledger, from: number, to: number) {
    this.#ledger = ledger;
    this.#from = from;
    this.#to = to;
  }

  static of(commands: ReadonlyMap<string, CommandOutcome>): Commands {
    if (commands instanceof Commands) return commands;
    const ledger: Ledger = { rows: [], rowOf: new Map() };
    for (const [id, outcome] of commands) append(ledger, id, outcome);
    return new Commands(ledger, 0, ledger.rows.length);
  }

  /** These commands and one more, without those that are forgotten by its time. */
  with(id: string, outcome: CommandOutcome): Commands {
    const ledger = this.#ownLedger();
    // A copy begins at its first row.
    let from = ledger === this.#ledger ? this.#from : 0;
    append(ledger, id, outcome);
    const to = ledger.rows.length;
    const oldest = outcome.atMs - REMEMBERED_MS;
    while (to - from > REMEMBERED_MAX || (ledger.rows[from]?.outcome.atMs ?? oldest) < oldest) {
      from++;
    }
    return new Commands(ledger, from, to);
  }

  /** The shared ledger if nobody added to it since and most of it is in view, else a copy. */
  #ownLedger(): Ledger {
    const isNewest = this.#ledger.rows.length === this.#to;
    if (isNewest && this.#from <= REMEMBERED_MAX) return this.#ledger;
    const copy: Ledger = { rows: [], rowOf: new Map() };
    for (const [id, outcome] of this) append(copy, id, outcome);
    return copy;
  }

  get size(): number {
    return this.#to - this.#from;
  }

  get(id: string): CommandOutcome | undefined {
    const row = this.#ledger.rowOf.get(id) ?? -1;
    return row >= this.#from && row < this.#to ? this.#ledger.rows[row]?.outcome : undefined;
  }

  has(id: string): boolean {
    return this.get(id) !== undefined;
  }

  *entries(): MapIterator<[string, CommandOutcome]> {
    for (let row = this.#from; row < this.#to; row++) {
      const { id, outcome } = this.#ledger.rows[row] as Ledger["rows"][number];
      yield [id, outcome];
    }
  }

  *keys(): MapIterator<string> {
    for (const [id] of this.entries()) yield id;
  }

  *values(): MapIterator<CommandOutcome> {
    for (const [, outcome] of this.entries()) yield outcome;
  }

  [Symbol.iterator](): MapIterator<[string, CommandOutcome]> {
    return this.entries();
  }

  forEach(
    callback: (
      outcome: CommandOutcome,
      id: string,
      map: ReadonlyMap<string, CommandOutcome>,
    ) => void,
  ): void {
    for (const [id, outcome] of this.entries()) callback(outcome, id, this);
  }
}

function append(ledger: Ledger, id: string, outcome: CommandOutcome): void {
  ledger.rowOf.set(id, ledger.rows.length);
  ledger.rows.push({ id, outcome });
}
