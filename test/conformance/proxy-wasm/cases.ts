import type { Case } from "./case.ts";
import { buffers } from "./cases/buffers.ts";
import { contexts } from "./cases/contexts.ts";
import { metrics, properties, shared } from "./cases/data.ts";
import { loading } from "./cases/loading.ts";
import { maps } from "./cases/maps.ts";
import { callouts, others } from "./cases/outside.ts";
import { streams } from "./cases/streams.ts";

/** All questions, in the order in which the ABI treats what they are about. */
export const cases: readonly Case[] = [
  ...loading,
  ...contexts,
  ...maps,
  ...buffers,
  ...streams,
  ...properties,
  ...metrics,
  ...shared,
  ...callouts,
  ...others,
];
