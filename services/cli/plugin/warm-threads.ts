import type { PoolRunnerInitializer, ThreadsPoolWorker } from "vitest/node";

/** Threads for vitest, one at a time. Disposing ends the one that waits. */
export interface WarmThreads extends PoolRunnerInitializer, AsyncDisposable {}

/**
 * Vitest starts a thread for each run, and ends it after that. These start the next one then: it
 * has loaded its part of vitest when it is wanted.
 */
export function createWarmThreads(Thread: typeof ThreadsPoolWorker): WarmThreads {
  let next: WarmThread | undefined;
  let isClosed = false;

  class WarmThread extends Thread {
    private readonly options: ConstructorParameters<typeof ThreadsPoolWorker>[0];
    private started: Promise<void> | undefined;

    constructor(options: ConstructorParameters<typeof ThreadsPoolWorker>[0]) {
      super(options);
      this.options = options;
    }

    override start(): Promise<void> {
      this.started ??= super.start();
      return this.started;
    }

    override async stop(): Promise<void> {
      await super.stop();
      if (isClosed || next !== undefined) return;
      next = new WarmThread(this.options);
      await next.start();
    }
  }

  return {
    name: "warm-threads",
    createPoolWorker(options) {
      const thread = next ?? new WarmThread(options);
      next = undefined;
      return thread;
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await next?.stop();
    },
  };
}
