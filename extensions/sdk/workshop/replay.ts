import type { Header, Host } from "../host/index.ts";
import { bytesOf, type Exchange, isTcp, type Message } from "./exchange.ts";
import { type Outcome, type Passed, play } from "./play.ts";
import { type PluginModule, prepare, Refusal, type Stage, stage } from "./stage.ts";

/** What came of an exchange in a replay, or what the plugin said of its configuration. */
export type Replayed = Outcome | { readonly refusal: string };

/** Plays exchanges one after the other, as one proxy would see them. */
export interface Replay {
  play(exchange: Exchange): Replayed;
}

/**
 * Exchanges of one configuration pass through one VM: what the plugin keeps from one to the next
 * is part of what is replayed. A VM that has trapped is made anew.
 */
export function createReplay(plugin: PluginModule): Replay {
  const stages = new Map<string, Stage>();
  const stageOf = (exchange: Exchange): Stage => {
    const { configuration, configurationBase64, rootId, faults } = exchange;
    const key = JSON.stringify([configuration, configurationBase64, rootId, faults]);
    const known = stages.get(key);
    if (known !== undefined && !known.host.hasFailed) {
      prepareAgain(known.host, exchange);
      return known;
    }
    const made = stage(plugin, exchange);
    stages.set(key, made);
    return made;
  };
  return {
    play: (exchange) => {
      try {
        const { host, root } = stageOf(exchange);
        return play(host, root, exchange);
      } catch (error) {
        if (error instanceof Refusal) return { refusal: error.message };
        throw error;
      }
    },
  };
}

/** The upstreams of an exchange in a VM that has seen others; its faults are there already. */
function prepareAgain(host: Host, { faults: _, ...exchange }: Exchange): void {
  prepare(host, exchange);
}

/** One thing that is another than it was. */
export interface Difference {
  /** As "request header x-canary": the same for all exchanges that differ there. */
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

/** What was recorded of an exchange, as far as it was; null if nothing was. */
export function recordedOutcome(exchange: Exchange): Partial<Outcome> | null {
  if (isTcp(exchange) || exchange.recorded === undefined) return null;
  const { request, response } = exchange.recorded;
  return {
    ...(request === undefined ? {} : { request: passedOf(request) }),
    ...(response === undefined ? {} : { response: passedOf(response) }),
  };
}

function passedOf(message: Message | null): Passed | null {
  if (message === null) return null;
  const { headers, body = [], trailers = [] } = message;
  return { headers, body: Buffer.concat(body.map(bytesOf)), trailers };
}

const NOTHING = "nothing";

/** What differs between two outcomes; of a recorded one, only what was recorded is compared. */
export function differences(before: Replayed | Partial<Outcome>, after: Replayed): Difference[] {
  const [refusedBefore, refusedAfter] = [refusalOf(before), refusalOf(after)];
  if (refusedBefore !== null || refusedAfter !== null) {
    const told = [refusedBefore ?? "taken", refusedAfter ?? "taken"] as const;
    return difference("configuration", told[0], told[1]);
  }
  const [old, now] = [before as Partial<Outcome>, after as Outcome];
  return [
    ...("trap" in old ? difference("trap", trapOf(old), trapOf(now)) : []),
    ...("request" in old ? passedDifferences("request", old.request ?? null, now.request) : []),
    ...("response" in old ? passedDifferences("response", old.response ?? null, now.response) : []),
    ...("localResponse" in old
      ? difference("own answer", old.localResponse ?? NOTHING, now.localResponse ?? NOTHING)
      : []),
    ...("held" in old ? difference("held back", old.held ?? NOTHING, now.held ?? NOTHING) : []),
    ...("isReset" in old ? difference("closed", String(old.isReset), String(now.isReset)) : []),
    ...("metrics" in old ? metricDifferences(old.metrics ?? {}, now.metrics) : []),
  ];
}

function refusalOf(outcome: Replayed | Partial<Outcome>): string | null {
  return "refusal" in outcome ? outcome.refusal : null;
}

function trapOf({ trap }: Partial<Outcome>): string {
  return trap?.message ?? "none";
}

function difference(what: string, before: string, after: string): Difference[] {
  return before === after ? [] : [{ what, before, after }];
}

function passedDifferences(
  direction: "request" | "response",
  before: Passed | null,
  after: Passed | null,
): Difference[] {
  if (before === null || after === null) {
    const tell = (passed: Passed | null) => (passed === null ? NOTHING : statusOf(passed));
    return difference(direction, tell(before), tell(after));
  }
  return [
    ...headerDifferences(`${direction} header`, before.headers, after.headers),
    ...bodyDifference(`${direction} body`, before.body, after.body),
    ...headerDifferences(`${direction} trailer`, before.trailers, after.trailers),
  ];
}

function statusOf({ headers }: Passed): string {
  return headers.find(([name]) => name === ":status")?.[1] ?? "there";
}

function headerDifferences(
  what: string,
  before: readonly Header[],
  after: readonly Header[],
): Difference[] {
  const [old, now] = [byName(before), byName(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])];
  return names.flatMap((name) => {
    return difference(`${what} ${name}`, old.get(name) ?? NOTHING, now.get(name) ?? NOTHING);
  });
}

function byName(headers: readonly Header[]): Map<string, string> {
  const all = new Map<string, string>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const before = all.get(key);
    all.set(
      key,
      before === undefined ? JSON.stringify(value) : `${before}, ${JSON.stringify(value)}`,
    );
  }
  return all;
}

/** Bytes that are shown of a body, from where it begins to differ. */
const SHOWN_MAX = 40;

function bodyDifference(what: string, before: Uint8Array, after: Uint8Array): Difference[] {
  if (Buffer.compare(before, after) === 0) return [];
  const at = before.findIndex((byte, index) => byte !== after[index]);
  const from = at < 0 ? Math.min(before.length, after.length) : at;
  const show = (body: Uint8Array) => {
    const shown = JSON.stringify(Buffer.from(body.subarray(from, from + SHOWN_MAX)).toString());
    return `${body.length} bytes, at ${from} ${shown}`;
  };
  return [{ what, before: show(before), after: show(after) }];
}

function metricDifferences(before: Outcome["metrics"], after: Outcome["metrics"]): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const tell = (value: Outcome["metrics"][string] | undefined) => {
    if (value === undefined) return NOTHING;
    return typeof value === "bigint" ? `${value > 0n ? "+" : ""}${value}` : value.join(" ");
  };
  return names.flatMap((name) =>
    difference(`metric ${name}`, tell(before[name]), tell(after[name])),
  );
}
