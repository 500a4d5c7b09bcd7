import type { Backtrace } from "./backtrace.ts";

/** A plugin has trapped, and its VM is dead. */
export class Trap extends Error {
  override readonly name = "Trap";
  readonly backtrace: Backtrace;
  constructor(message: string, backtrace: Backtrace, cause: unknown) {
    super(message, { cause });
    this.backtrace = backtrace;
  }
}
