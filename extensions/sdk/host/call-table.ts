/** What kind of callout an id belongs to: its two low bits. */
const KINDS = ["http", "grpc", "grpc stream"] as const;
export type CallKind = (typeof KINDS)[number];

/** What a plugin may do with a callout of its. One that has sent all at once takes no more. */
export interface OpenCall {
  /** Sends a message on. */
  send(message: Uint8Array, endOfStream: boolean): void;
  /** Ends the plugin's side without a message. */
  end(): void;
}

/** The callouts of one VM that have no answer yet. */
export interface CallTable {
  readonly size: number;
  open(kind: CallKind, call?: OpenCall): number;
  get(id: number): OpenCall | undefined;
  /** Null for an id of no kind. */
  kindOf(id: number): CallKind | null;
  /** Whether it was open. */
  close(id: number): boolean;
}

const ID_STEP = 4;
const SENT: OpenCall = { send: () => {}, end: () => {} };

export function createCallTable(): CallTable {
  const open = new Map<number, OpenCall>();
  /** Each kind has ids of its own. */
  const last = new Map<CallKind, number>();
  return {
    get size() {
      return open.size;
    },
    open: (kind, call = SENT) => {
      const next = (last.get(kind) ?? 0) + ID_STEP;
      last.set(kind, next);
      const id = next + KINDS.indexOf(kind);
      open.set(id, call);
      return id;
    },
    get: (id) => open.get(id),
    kindOf: (id) => KINDS[id % ID_STEP] ?? null,
    close: (id) => open.delete(id),
  };
}
