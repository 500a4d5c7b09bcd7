import { type Act, type Case, type Move, playOf } from "./case.ts";

/** A client or an upstream: what it can be told to do, and what it has got. */
export interface Side {
  /** Whether it can do anything: an upstream, only once it has been asked. */
  readonly isReady: boolean;
  do(move: Move): void;
  /** All bytes it has received. */
  readonly received: string;
  /** Whether it will receive no more. */
  readonly isClosed: boolean;
  /** What it got, a line for each request or connection. */
  readonly shown: readonly string[];
}

/** Where a case is played. */
export interface Stage {
  readonly client: Side;
  readonly upstream: Side;
  /** What the plugin has said so far. */
  readonly lines: () => readonly string[];
  /** Waits until it is so, or goes on without it after so long. */
  readonly wait: (isSo: () => boolean, ms: number) => void | Promise<void>;
}

/** How long to wait for what must come: a busy machine takes its time. */
const PATIENCE_MS = 10_000;

/** Plays a case, and answers what client and upstream have got. */
export async function play(one: Case, stage: Stage): Promise<string[]> {
  await act(playOf(one), one, stage);
  const { client, upstream } = stage;
  const lines = client.shown.map((line) => `client ${line}`);
  const sawNothing = one.isTcp === true ? ["upstream nothing"] : [];
  const saw = upstream.shown.map((line) => `upstream ${line}`);
  return [...lines, ...(saw.length === 0 ? sawNothing : saw)];
}

/** Does one act after the other. */
export async function act(acts: readonly Act[], one: Case, stage: Stage): Promise<void> {
  const { patienceMs = PATIENCE_MS } = one;
  for (const next of acts) {
    if ("said" in next) {
      const count = () => stage.lines().filter((line) => line === next.said).length;
      await stage.wait(() => count() >= next.times, PATIENCE_MS);
      continue;
    }
    const side = stage[next.who];
    if ("move" in next) {
      // An upstream that is not asked before the client is answered never will be.
      await stage.wait(() => side.isReady || stage.client.isClosed, PATIENCE_MS);
      if (side.isReady) side.do(next.move);
    } else if ("sees" in next) {
      await stage.wait(() => side.received.includes(next.sees) || side.isClosed, patienceMs);
    } else {
      await stage.wait(() => side.isReady && side.isClosed, patienceMs);
    }
  }
}
