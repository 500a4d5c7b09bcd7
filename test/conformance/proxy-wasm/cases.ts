import type { Case } from "./case.ts";
import { buffers } from "./cases/buffers.ts";
import { callouts } from "./cases/callouts.ts";
import { contexts } from "./cases/contexts.ts";
import { metrics, properties, shared } from "./cases/data.ts";
import { failure } from "./cases/failure.ts";
import { foreign } from "./cases/foreign.ts";
import { grpc } from "./cases/grpc.ts";
import { loading } from "./cases/loading.ts";
import { local } from "./cases/local.ts";
import { maps } from "./cases/maps.ts";
import { others } from "./cases/outside.ts";
import { requests } from "./cases/requests.ts";
import { responses } from "./cases/responses.ts";
import { roots } from "./cases/roots.ts";
import { settings } from "./cases/settings.ts";
import { sharing } from "./cases/sharing.ts";
import { streams } from "./cases/streams.ts";
import { tcp } from "./cases/tcp.ts";
import { ticks } from "./cases/ticks.ts";
import { versions } from "./cases/versions.ts";

/** All questions, in the order in which the ABI treats what they are about. */
export const cases: readonly Case[] = [
  ...loading,
  ...versions,
  ...settings,
  ...contexts,
  ...roots,
  ...maps,
  ...buffers,
  ...streams,
  ...requests,
  ...responses,
  ...local,
  ...tcp,
  ...properties,
  ...metrics,
  ...shared,
  ...sharing,
  ...ticks,
  ...callouts,
  ...grpc,
  ...foreign,
  ...others,
  ...failure,
];
