import { realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { hostOf } from "../host/host.ts";
import type { Host, HostOptions } from "../host/index.ts";
import { loadModule } from "../host/link.ts";
import { readBuilt } from "./build-once.ts";
import { COVERED_FOLDER, COVERED_MODULE, type Runs } from "./covered-module.ts";

/** Hosts that are kept to be read at the end; older ones are read before, and have run by then. */
const HOSTS_MAX = 500;

const { [COVERED_FOLDER]: coveredFolder, [COVERED_MODULE]: coveredModule } = process.env;
const hosts: Host[] = [];
let sums: Runs = [];

/** Makes hosts that count what of the code runs; null for a folder that is not covered. */
export async function coveringHosts(
  folder: string,
): Promise<((options: HostOptions) => Host) | null> {
  if (coveredModule === undefined || coveredFolder !== realpathSync(folder)) return null;
  const { wasm, sourceMap } = await readBuilt(coveredModule);
  const loaded = loadModule(wasm, { cover: true });
  return (options) => {
    const host = hostOf(loaded, { sourceMap, ...options });
    hosts.push(host);
    const oldest = hosts.length > HOSTS_MAX ? hosts.shift() : undefined;
    if (oldest !== undefined) add(oldest);
    return host;
  };
}

function add({ coverage }: Host): void {
  if (coverage === null) return;
  const before = sums;
  sums = coverage.runs.map((blocks, at) =>
    blocks.map((runs, block) => runs + (before[at]?.[block] ?? 0)),
  );
}

function write(beside: string): void {
  for (const host of hosts.splice(0)) add(host);
  const name = `${process.pid}-${process.hrtime.bigint()}.runs.json`;
  writeFileSync(join(dirname(beside), name), JSON.stringify(sums));
}

if (coveredModule !== undefined) afterAll(() => write(coveredModule));
