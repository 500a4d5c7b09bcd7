import { once } from "node:events";
import { EXIT } from "./exit.ts";

/**
 * Resolves with the first signal to stop; a second one then ends at once. To be called before
 * anything is started: a signal that nobody waits for ends the process, and its children stay.
 */
export async function stopSignal(): Promise<void> {
  // The command line's own handler would end at once, with everything half open.
  process.removeAllListeners("SIGINT");
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race([
    once(process, "SIGINT", { signal }),
    once(process, "SIGTERM", { signal }),
    once(process, "SIGHUP", { signal }),
  ]);
  for (const again of ["SIGINT", "SIGTERM"])
    process.once(again, () => process.exit(EXIT.interrupted));
  waiting.abort();
}
