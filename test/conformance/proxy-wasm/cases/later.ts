// What a probe does from outside a stream's callbacks, on the one tick it asks for.

import { does } from "../case.ts";
import { type Callback, call, type Step, say, time } from "../probe.ts";

/** Long enough for what is under way to arrive first, on a busy machine too. */
const SOON_MS = 40;

/** Asks for the tick. */
export const soon = call("proxy_set_tick_period_milliseconds", SOON_MS);

/** Does something for a stream once, and says so. */
export const laterFor = (stream: number, ...steps: Step[]): Callback =>
  does(
    time(
      1,
      call("proxy_set_tick_period_milliseconds", 0),
      call("proxy_set_effective_context", stream),
      ...steps,
      say("later"),
    ),
  );

/** Does something for the first stream of the first root. */
export const later = (...steps: Step[]): Callback => laterFor(2, ...steps);
