// Runs cases in a real Envoy, with real clients and upstreams.

import { setTimeout } from "node:timers/promises";
import { type Case, onRequest, playsUpstream } from "./case.ts";
import { httpClient, type Place, tcpClient } from "./client.ts";
import type { Answers } from "./driver.ts";
import { Died, type Envoy, LOOK_MS, startEnvoy } from "./envoy.ts";
import { act, play, type Stage } from "./play.ts";
import { say } from "./probe.ts";
import {
  echoingUpstream,
  grpcUpstream,
  NOBODY,
  playedHttpUpstream,
  playedTcpUpstream,
  type Upstream,
} from "./upstream.ts";

/** Cases whose listeners stand at a time: each has four VMs of about a megabyte. */
const BATCH = 40;

type Upstreams = ReadonlyMap<string, Upstream>;

/** The case that shows, by its line in the log, that all before it have ended. */
const fence = (id: string): Case => {
  return { id, title: "the end of a batch", probe: onRequest(say("passed")) };
};

/**
 * Runs cases in a real Envoy, some listeners at a time, and answers what each shows. Those that
 * Envoy dies of have one of their own.
 */
export async function drive(cases: readonly Case[]): Promise<Answers> {
  const upstreams = await startUpstreams(cases);
  const answers = new Map<string, readonly string[]>();
  try {
    const harmless = cases.filter(({ killsEnvoy }) => killsEnvoy !== true);
    const envoy = await start(upstreams);
    try {
      const lines = await linesOf(envoy);
      for (let at = 0; at < harmless.length; at += BATCH) {
        const batch = harmless.slice(at, at + BATCH);
        await runBatch({ envoy, upstreams, lines }, batch, { at, answers });
      }
    } finally {
      await envoy.end();
    }
    for (const one of cases) {
      if (one.killsEnvoy === true) answers.set(one.id, [await deathOf(one, upstreams)]);
    }
    return answers;
  } finally {
    for (const upstream of upstreams.values()) upstream.close();
  }
}

/** Those of all cases, and one for each that has its upstream play. */
async function startUpstreams(cases: readonly Case[]): Promise<Map<string, Upstream>> {
  const upstreams = new Map([
    ["upstream", await echoingUpstream()],
    ["grpc", await grpcUpstream()],
  ]);
  for (const one of cases) {
    if (one.isTcp) upstreams.set(one.id, await playedTcpUpstream());
    else if (playsUpstream(one)) upstreams.set(one.id, await playedHttpUpstream());
  }
  return upstreams;
}

const start = async (upstreams: Upstreams) =>
  await startEnvoy(
    [...upstreams].map(([name, { port }]) => ({ name, port, isHttp2: name === "grpc" })),
  );

interface Ground {
  readonly envoy: Envoy;
  readonly upstreams: Upstreams;
  /** What a case's plugins have said on the worker: every other VM says things as well. */
  readonly lines: (id: string) => readonly string[];
}

/** Finds out which thread is the worker's. */
async function linesOf(envoy: Envoy): Promise<Ground["lines"]> {
  await pass(envoy, await envoy.listen([fence("fence")], "127.0.1.1"), "fence");
  const worker = envoy.log.of("fence")[0]?.thread;
  return (id) => envoy.log.of(id).flatMap(({ thread, text }) => (thread === worker ? [text] : []));
}

async function runBatch(
  ground: Ground,
  batch: readonly Case[],
  { at, answers }: { readonly at: number; readonly answers: Map<string, readonly string[]> },
): Promise<void> {
  const { envoy, lines } = ground;
  const end = fence(`fence-${at}`);
  const places = await envoy.listen([...batch, end], `127.0.${2 + at / BATCH}.1`);
  const stages = new Map<string, Stage & { client: { end(): void } }>();
  for (const one of batch) {
    const place = places.get(one.id);
    if (place === undefined) answers.set(one.id, ["refused"]);
    else stages.set(one.id, stageOf(one, place, ground));
  }
  const got = new Map<string, readonly string[]>();
  await onEach(batch, stages, async (one, stage) => {
    got.set(one.id, await play(one, stage));
  });
  await pass(envoy, places, end.id);
  const write = (one: Case) => answers.set(one.id, [...lines(one.id), ...(got.get(one.id) ?? [])]);
  for (const one of batch) if (stages.has(one.id)) write(one);
  const removed = batch.filter(({ removal }) => removal !== undefined);
  if (removed.length > 0) await envoy.listen(removed.flatMap(withoutFirst), "127.0.254.1");
  await onEach(removed, stages, async (one, stage) => {
    await act(one.removal ?? [], one, stage);
    write(one);
  });
  for (const stage of stages.values()) stage.client.end();
}

async function onEach<T>(
  cases: readonly Case[],
  stages: ReadonlyMap<string, T>,
  run: (one: Case, stage: T) => Promise<void>,
): Promise<void> {
  await Promise.all(
    cases.map(async (one) => {
      const stage = stages.get(one.id);
      if (stage !== undefined) await run(one, stage);
    }),
  );
}

/** What is left of a case when its plugin is taken out: those beside it. */
function withoutFirst(one: Case): Case[] {
  const { beside: [next, ...rest] = [] } = one;
  return next === undefined ? [] : [{ ...one, ...next, beside: rest }];
}

/** Sends a request through the fence, and waits until Envoy has logged it. */
async function pass(envoy: Envoy, places: ReadonlyMap<string, Place>, id: string): Promise<void> {
  const client = httpClient(places.get(id) ?? { host: "", port: 0 });
  client.do({ open: [], ends: true });
  await envoy.until(
    () => envoy.log.of(id).some(({ text }) => text === "passed"),
    `the fence ${id}`,
  );
  client.end();
}

function stageOf(one: Case, place: Place, { envoy, upstreams, lines }: Ground) {
  return {
    client: one.isTcp ? tcpClient(place) : httpClient(place),
    upstream: upstreams.get(one.id)?.side ?? NOBODY,
    lines: () => lines(one.id),
    wait: async (isSo: () => boolean, ms: number) => {
      const deadline = performance.now() + ms;
      while (!isSo() && !envoy.isDead && performance.now() < deadline) await setTimeout(LOOK_MS);
    },
  };
}

/** Asks an Envoy of its own what it dies of. */
async function deathOf(one: Case, upstreams: Upstreams): Promise<string> {
  const envoy = await start(upstreams);
  try {
    const end = fence("fence");
    const places = await envoy.listen([one, end], "127.0.1.1");
    const place = places.get(one.id);
    if (place === undefined) return "refused";
    const stage = stageOf(one, place, { envoy, upstreams, lines: () => [] });
    await play(one, stage);
    stage.client.end();
    await pass(envoy, places, end.id);
    return "lives";
  } catch (error) {
    if (error instanceof Died) return `dies of ${error.signal}`;
    throw error;
  } finally {
    await envoy.end();
  }
}
