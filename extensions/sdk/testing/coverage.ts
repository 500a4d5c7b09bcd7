import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Host } from "../host/index.ts";
import { COVERAGE_FOLDER, type RawCoverage } from "./raw-coverage.ts";

/** Hosts that are kept to be read at the end; older ones are read before, and have run by then. */
const HOSTS_MAX = 500;

interface Tally {
  readonly hosts: Host[];
  runs: number[][];
}

const tallies = new Map<string, Tally>();
const target = process.env[COVERAGE_FOLDER];

export const isCounting = target !== undefined;

/** Has a host's code counted for the plugin of a folder. */
export function watch(folder: string, host: Host): void {
  const tally = tallies.get(folder) ?? { hosts: [], runs: [] };
  tallies.set(folder, tally);
  tally.hosts.push(host);
  const oldest = tally.hosts.length > HOSTS_MAX ? tally.hosts.shift() : undefined;
  if (oldest !== undefined) add(tally, oldest);
}

function add(tally: Tally, { coverage }: Host): void {
  for (const [at, blocks] of (coverage?.runs ?? []).entries()) {
    const sums = tally.runs[at] ?? [];
    tally.runs[at] = blocks.map((runs, block) => runs + (sums[block] ?? 0));
  }
}

function write(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [plugin, tally] of tallies) {
    for (const host of tally.hosts.splice(0)) add(tally, host);
    const raw: RawCoverage = { folder: plugin, runs: tally.runs };
    const name = `${process.pid}-${process.hrtime.bigint()}.json`;
    writeFileSync(join(folder, name), JSON.stringify(raw));
  }
}

if (target !== undefined) afterAll(() => write(target));
