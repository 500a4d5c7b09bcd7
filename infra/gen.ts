// Writes proto/gen: TypeScript for our own protos, by buf, and for Envoy's API, out of the very
// Envoy that runs. A second call with the same inputs does nothing.
//
//   npm run gen

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  type FileDescriptorSet,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { readDescriptors } from "./descriptors.ts";
import { installTools } from "./tools.ts";

const root = resolve(import.meta.dirname, "..");
const gen = join(root, "proto/gen");
const stamp = join(gen, ".stamp");

/** What a control plane may have to say or read: all of v3, and what that imports. */
const WANTED = [
  /^envoy\/(?!.*\/v2(alpha\d*)?\/).*\/v3(alpha)?\//,
  /^(xds|udpa|envoy\/annotations)\//,
  /^validate\/validate\.proto$/,
  /^google\/rpc\/(status|code|error_details)\.proto$/,
  /^grpc\/health\//,
];

const ES_OPTIONS = "target=ts,import_extension=ts,erasable_syntax=true";

/** The generated code is 3.2 MB today. */
const GENERATED_BYTES_MAX = 64 << 20;

/** Brings proto/gen up to date with proto/ and with Envoy. */
export function generate(): void {
  const { envoy } = installTools();
  const want = fingerprint(envoy);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === want) return;
  process.stderr.write("generating proto/gen (once)\n");
  execFileSync("buf", ["generate"], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  const api = readDescriptors(readFileSync(envoy));
  writeFileSync(join(gen, "envoy.binpb"), toBinary(FileDescriptorSetSchema, api));
  generateEnvoy(api);
  writeFileSync(stamp, want);
}

/** Changes with anything that goes into proto/gen. Envoy is told by size and time: it is 150 MB. */
function fingerprint(envoy: string): string {
  const hash = createHash("sha256");
  const sources = globSync(["proto/**/*.proto", "buf*.yaml", "infra/{gen,descriptors}.ts"], {
    cwd: root,
  });
  for (const path of sources.sort()) hash.update(path).update(readFileSync(join(root, path)));
  const { size, mtimeMs } = statSync(envoy);
  return hash.update(`${envoy} ${size} ${mtimeMs}`).digest("hex");
}

/** Runs protoc-gen-es as protoc would, over the descriptors that Envoy brought. */
function generateEnvoy(api: FileDescriptorSet): void {
  const byName = new Map(api.file.map((file) => [file.name, file]));
  const kept = new Set<string>();
  const keep = (name: string): void => {
    if (kept.has(name)) return;
    kept.add(name);
    byName.get(name)?.dependency.forEach(keep);
  };
  for (const name of byName.keys()) if (WANTED.some((pattern) => pattern.test(name))) keep(name);
  const protoFile = api.file.filter((file) => kept.has(file.name));
  const request = create(CodeGeneratorRequestSchema, {
    // The well-known types come with the runtime.
    fileToGenerate: [...kept].filter((name) => !name.startsWith("google/protobuf/")).sort(),
    protoFile,
    parameter: ES_OPTIONS,
  });
  const manifest = createRequire(import.meta.url).resolve("@bufbuild/protoc-gen-es/package.json");
  const run = spawnSync(process.execPath, [join(dirname(manifest), "bin/protoc-gen-es")], {
    input: toBinary(CodeGeneratorRequestSchema, request),
    maxBuffer: GENERATED_BYTES_MAX,
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (run.status !== 0) throw new Error(`protoc-gen-es exited with ${run.status ?? run.signal}`);
  const response = fromBinary(CodeGeneratorResponseSchema, run.stdout);
  if (response.error) throw new Error(response.error);
  for (const file of response.file) {
    const path = join(gen, file.name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file.content);
  }
}

if (import.meta.main) generate();
