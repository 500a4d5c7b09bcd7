/** What kind of callout an id belongs to: its two low bits. */
const KINDS = ["http", "grpc", "grpc stream"] as const;
export type CallKind = (typeof KINDS)[number];

interface OpenCall {
  /** Sends a message on. Nothing for callouts that send all of it at once. */
  send(message: Uint8Array, endOfStream: boolean): void;
}

/** The callouts of one VM that have no answer yet. */
export interface CallTable {
  readonly size: number;
  open(kind: CallKind, send?: OpenCall["send"]): number;
  get(id: number): OpenCall | undefined;
  /** Null for an id of no kind. */
  kindOf(id: number): CallKind | null;
  /** Whether it was open. */
  close(id: number): boolean;
}

const ID_STEP = 4;

export function createCallTable(): CallTable {
  const open = new Map<number, OpenCall>();
  let last = 0;
  return {
    get size() {
      return open.size;
    },
    open: (kind, send = () => {}) => {
      last += ID_STEP;
      const id = last + KINDS.indexOf(kind);
      open.set(id, { send });
      return id;
    },
    get: (id) => open.get(id),
    kindOf: (id) => KINDS[id % ID_STEP] ?? null,
    close: (id) => open.delete(id),
  };
}
