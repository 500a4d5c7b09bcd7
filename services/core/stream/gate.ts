/**
 * Holds something back until what it depends on is done, and never longer than a limit: one stuck
 * type must not hold the others for ever.
 */
export interface Gate {
  readonly limitMs: number;
  /** Since when something waits; undefined while nothing does. */
  sinceMs: number | undefined;
  /** Whether it was told that the limit opened it. */
  flagged: boolean;
}

export function createGate(limitMs: number): Gate {
  return { limitMs, sinceMs: undefined, flagged: false };
}

/** Whether what waits may go now. */
export function isOpen(
  gate: Gate,
  { ready, waiting, nowMs }: GateView,
): "open" | "closed" | "forced" {
  if (ready || !waiting) {
    gate.sinceMs = undefined;
    gate.flagged = false;
    return ready ? "open" : "closed";
  }
  gate.sinceMs ??= nowMs;
  return nowMs - gate.sinceMs >= gate.limitMs ? "forced" : "closed";
}

export interface GateView {
  /** What it depends on is done. */
  readonly ready: boolean;
  /** Something would go if it were open. */
  readonly waiting: boolean;
  readonly nowMs: number;
}

/** When the limit opens the gate; undefined if nothing waits, or it is open already. */
export function opensAtMs(gate: Gate, nowMs: number): number | undefined {
  if (gate.sinceMs === undefined) return undefined;
  const at = gate.sinceMs + gate.limitMs;
  return at > nowMs ? at : undefined;
}
