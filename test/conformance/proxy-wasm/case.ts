import type { Header } from "@weft/sdk/host";
import type { Callback, Probe, Step } from "./probe.ts";

/** One question to a host. What Envoy answers is recorded in envoy-1.40.json. */
export interface Case {
  /** Its section of the ABI and a name. */
  readonly id: string;
  readonly title: string;
  readonly probe: Probe;
  readonly configuration?: string;
  readonly request?: {
    readonly headers?: readonly Header[];
    readonly body?: string;
  };
  /** Why Envoy and our host's profile of it differ, where they do. */
  readonly because?: string;
  /** Envoy 1.40 dies of it, instead of refusing it: it is not asked. */
  readonly killsEnvoy?: boolean;
  /** What the specification demands, where Envoy does otherwise. */
  readonly spec?: readonly string[];
}

export type Table = readonly Case[];

/** What most cases do: some steps on a request's headers. */
export function onRequest(...steps: Step[]): Probe {
  return { on: { proxy_on_request_headers: { steps } } };
}

export function onConfigure(...steps: Step[]): Probe {
  return { on: { proxy_on_configure: { steps, returns: 1 } } };
}

export const does = (...steps: Step[]): Callback => ({ steps });
export const answers = (returns: number, ...steps: Step[]): Callback => ({ steps, returns });
