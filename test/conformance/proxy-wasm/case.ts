import type { FailurePolicy, Header } from "@weft/sdk/host";
import type { Callback, Probe, Step } from "./probe.ts";

/** A plugin as a host is to be configured with it. */
export interface Configured {
  readonly probe: Probe;
  readonly configuration?: string;
  readonly vmConfiguration?: string;
  /** Variables that its VM sees over WASI. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Names of hostcalls and callbacks that it may use: all, unless told. */
  readonly capabilities?: readonly string[];
  /** FAIL_CLOSED, unless told; a VM is made anew once it is so old. */
  readonly failurePolicy?: FailurePolicy;
  readonly reloadIntervalMs?: number;
  /** Whether pausing on headers lets the body through to the plugin. */
  readonly allowsHeadersStop?: boolean;
}

/** One question to a host. What Envoy answers is recorded in envoy-1.40.json. */
export interface Case extends Configured {
  /** Its section of the ABI and a name. */
  readonly id: string;
  readonly title: string;
  /** Whether the plugin is asked about TCP connections instead of HTTP streams. */
  readonly isTcp?: boolean;
  /** Plugins that stand behind it. They share its VM unless they name one of their own. */
  readonly beside?: readonly (Partial<Configured> & { readonly vm?: string })[];
  /** What client and upstream do: one request that is echoed, unless told. */
  readonly play?: readonly Act[];
  /** What happens after the plugin has been taken out of the host's configuration. */
  readonly removal?: readonly Act[];
  /** How long the client waits for an answer that is not to come. */
  readonly patienceMs?: number;
  /** Headers and body of the one request of a case without a play. */
  readonly request?: {
    readonly headers?: readonly Header[];
    readonly body?: string;
  };
  /** Why Envoy and our host's profile of it differ, where they do. */
  readonly because?: string;
  /** Envoy 1.40 dies of it, instead of refusing it: it needs an Envoy of its own. */
  readonly killsEnvoy?: boolean;
  /** What the specification demands, where Envoy does otherwise. */
  readonly spec?: readonly string[];
}

export type Table = readonly Case[];

/** What a client or an upstream does. TCP has no trailers, and opens without headers. */
export type Move =
  /** Opens a connection and begins a request; or, as upstream, begins the response to it. */
  | { readonly open: readonly Header[]; readonly ends?: boolean }
  | { readonly bytes: string }
  | { readonly trailers: readonly Header[] }
  | "end"
  | "reset";

export type Act =
  | { readonly who: Who; readonly move: Move }
  /** Waits until this side has received a text, or all that it will. */
  | { readonly who: Who; readonly sees: string }
  | { readonly who: Who; readonly isClosed: true }
  /** Waits until the plugin has said a line so often. */
  | { readonly said: string; readonly times: number };
type Who = "client" | "upstream";

const side = (who: Who) => ({
  open: (...headers: Header[]): Act => ({ who, move: { open: headers } }),
  /** Opens a message that has headers alone. */
  openAll: (...headers: Header[]): Act => ({ who, move: { open: headers, ends: true } }),
  send: (bytes: string): Act => ({ who, move: { bytes } }),
  trail: (...trailers: Header[]): Act => ({ who, move: { trailers } }),
  end: { who, move: "end" } as Act,
  reset: { who, move: "reset" } as Act,
  sees: (text: string): Act => ({ who, sees: text }),
  closed: { who, isClosed: true } as Act,
});

export const client = side("client");
export const upstream = side("upstream");
export const said = (line: string, times = 1): Act => ({ said: line, times });

/** One request without a body, and its answer. */
export const ask: readonly Act[] = [client.openAll(), client.closed];

/** What client and upstream do in a case. */
export function playOf({ play, request: { headers = [], body } = {} }: Case): readonly Act[] {
  if (play !== undefined) return play;
  if (body === undefined) return [client.openAll(...headers), client.closed];
  return [client.open(...headers), client.send(body), client.end, client.closed];
}

/** Whether the upstream does as the case has it, instead of echoing. */
export function playsUpstream(one: Case): boolean {
  return playOf(one).some((act) => "who" in act && act.who === "upstream" && "move" in act);
}

/** What most cases do: some steps on a request's headers. */
export function onRequest(...steps: Step[]): Probe {
  return { on: { proxy_on_request_headers: { steps } } };
}

export function onConfigure(...steps: Step[]): Probe {
  return { on: { proxy_on_configure: { steps, returns: 1 } } };
}

export const does = (...steps: Step[]): Callback => ({ steps });
export const answers = (returns: number | readonly number[], ...steps: Step[]): Callback => ({
  steps,
  returns,
});

/** How long a client waits for an answer that the plugin never lets through. */
export const NEVER_MS = 500;
