import { type Exchange, readExchange } from "../exchange.ts";
import { anything, inside, listOf, objectOf, type Place, parseJson, whole } from "../slip.ts";

/**
 * Streams through one plugin, at the same time. The first exchange brings what is around all of
 * them: configuration, upstreams and forced statuses.
 */
export interface Scenario {
  readonly exchanges: readonly Exchange[];
  /** Which stream goes a step further, in turn; what is left goes in order. */
  readonly order: readonly number[];
}

/** Streams at once, and steps whose order is told: more find nothing else and take longer. */
export const STREAMS_MAX = 4;
export const ORDER_MAX = 24;

/** Reads a scenario, or a lone exchange. @throws Slip */
export function readScenario(content: string, file: string): Scenario {
  const place: Place = { file, path: [] };
  const value = parseJson(content, place);
  if (typeof value !== "object" || value === null || !("exchanges" in value)) {
    return { exchanges: [readExchange(value, place)], order: [] };
  }
  const read = objectOf<{ exchanges: readonly unknown[]; order: readonly number[] }>(
    { exchanges: listOf(anything), order: listOf(whole(0, STREAMS_MAX - 1)) },
    ["exchanges"],
  );
  const { exchanges, order = [] } = read(value, place);
  const at = inside(place, "exchanges");
  return {
    exchanges: exchanges.map((each, index) => readExchange(each, inside(at, index))),
    order,
  };
}
