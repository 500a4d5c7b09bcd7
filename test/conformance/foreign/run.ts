// Runs modules of other SDKs in our host and in a real Envoy, and writes docs/foreign-modules.md.
//
//   node test/conformance/foreign/run.ts [words of ids]
//
// It needs cargo, go and npm with their registries, and the tools of a Debian 12 with its package
// archives: apt-get, dpkg-deb. What it fetches and builds stays in .tools/foreign.

import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { driveEnvoy } from "./drive-envoy.ts";
import { driveHost } from "./drive-host.ts";
import { modules, type Source } from "./modules.ts";
import { type Compared, writePage } from "./page.ts";
import { workshop, write } from "./workshop.ts";

const words = process.argv.slice(2);

async function compare(source: Source): Promise<Compared> {
  const wasm = source.build();
  const path = join(workshop, "modules", `${source.id.replaceAll(" ", "-")}.wasm`);
  write(path, wasm);
  const host = driveHost(wasm, source);
  return { source, bytes: wasm.byteLength, host, envoy: await driveEnvoy(path, source) };
}

const compared: Compared[] = [];
for (const source of modules) {
  if (!words.every((word) => source.id.includes(word))) continue;
  const one = await compare(source);
  compared.push(one);
  const differing = (["isLoaded", "exchanges", "logs", "calls"] as const).filter(
    (part) => JSON.stringify(one.host[part]) !== JSON.stringify(one.envoy[part]),
  );
  console.log(`${source.id}: ${differing.length === 0 ? "the same" : "differs"}`);
  for (const part of differing) {
    console.log(JSON.stringify({ host: one.host[part], envoy: one.envoy[part] }, null, 2));
  }
}
if (words.length === 0) {
  const page = resolve(import.meta.dirname, "../../../docs/foreign-modules.md");
  writeFileSync(page, writePage(compared));
}
