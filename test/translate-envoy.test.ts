import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  globSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { afterAll, describe, expect, test } from "vitest";
import { installTools } from "../infra/tools.ts";

const golden = join(import.meta.dirname, "../services/xds/translate/golden");
const cases = globSync("*/mesh.yaml", { cwd: golden }).map(dirname).sort();
const folder = mkdtempSync(join(tmpdir(), "weft-validate-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Stands for every file of roots that a configuration names. */
const roots = join(folder, "roots.pem");
writeFileSync(roots, rootCertificates.slice(0, 3).join("\n"));

/** Envoy checks a configuration in a tenth of a second; a minute is for a machine that is busy. */
const VALIDATE_TIMEOUT_MS = 60_000;

/**
 * A module that Envoy takes: it exports its ABI, a memory and an allocator, and does nothing.
 * (module (func (param i32) (result i32) i32.const 0) (func) (memory 1) (export …))
 */
const MODULE = Buffer.concat([
  Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
  section(1, [2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 0, 0]),
  section(3, [2, 0, 1]),
  section(5, [1, 0, 1]),
  section(7, [
    3,
    ...exported("memory", 2, 0),
    ...exported("malloc", 0, 0),
    ...exported("proxy_abi_version_0_2_1", 0, 1),
  ]),
  section(10, [2, 4, 0, 0x41, 0, 0x0b, 2, 0, 0x0b]),
]);

function section(id: number, bytes: readonly number[]): Buffer {
  return Buffer.from([id, bytes.length, ...bytes]);
}

function exported(name: string, kind: number, index: number): number[] {
  return [name.length, ...Buffer.from(name), kind, index];
}

describe("the real Envoy accepts what is translated", () => {
  test.each(cases)("%s", async (name) => {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify(bootstrapOf(name)));
    const { code, log } = await validate(path);
    expect({ code, complaints: complaintsIn(log) }).toEqual({ code: 0, complaints: [] });
  });
});

async function validate(path: string): Promise<{ code: number | null; log: string }> {
  const args = ["--mode", "validate", "-c", path, "-l", "warning"];
  // A file, not a pipe: Envoy opens /dev/stdout for its access log, and Node's pipes are sockets.
  const output = openSync(`${path}.log`, "w");
  try {
    const child = spawn(installTools().envoy, args, {
      stdio: ["ignore", output, output],
      timeout: VALIDATE_TIMEOUT_MS,
    });
    const [code] = await once(child, "exit");
    return { code, log: readFileSync(`${path}.log`, "utf8") };
  } finally {
    closeSync(output);
  }
}

/** Errors, and warnings of fields that a later Envoy will refuse. */
function complaintsIn(log: string): string[] {
  return log.split("\n").filter((line) => /\[(?:critical|error)\]|deprecated/i.test(line));
}

/** What Envoy would get over ADS, put into a bootstrap: routes, endpoints and plugins in place. */
function bootstrapOf(name: string): JsonObject {
  const routes = byName(read(name, "routes"), "name");
  const endpoints = byName(read(name, "endpoints"), "clusterName");
  const extensions = byName(read(name, "extensions"), "name");
  return {
    node: { id: "golden", cluster: "golden" },
    dynamicResources: {
      adsConfig: {
        apiType: "DELTA_GRPC",
        transportApiVersion: "V3",
        grpcServices: [{ envoyGrpc: { clusterName: "xds-grpc" } }],
      },
    },
    staticResources: {
      clusters: [
        serverCluster("xds-grpc"),
        serverCluster("sds-grpc"),
        ...read(name, "clusters").map((cluster) => withEndpoints(cluster, endpoints)),
      ],
      listeners: read(name, "listeners").map(
        (listener) => inlined(listener, routes, extensions) as JsonObject,
      ),
    },
  };
}

function read(name: string, type: string): JsonObject[] {
  const [file] = globSync(`${type}.json`, { cwd: join(golden, name) });
  if (file === undefined) return [];
  return JSON.parse(readFileSync(join(golden, name, file), "utf8"), (key, value) => {
    if (key === "inlineBytes") return MODULE.toString("base64");
    return key === "trustedCa" ? { filename: roots } : value;
  });
}

function byName(resources: readonly JsonObject[], key: string): ReadonlyMap<string, JsonObject> {
  return new Map(resources.map((resource) => [String(resource[key]), resource]));
}

function serverCluster(name: string): JsonObject {
  return { name, connectTimeout: "1s", type: "STATIC", typedExtensionProtocolOptions: {} };
}

/** A cluster that asks for its endpoints, with the endpoints it would get. */
function withEndpoints(
  cluster: JsonObject,
  endpoints: ReadonlyMap<string, JsonObject>,
): JsonObject {
  if (cluster["type"] !== "EDS") return cluster;
  const { edsClusterConfig: _, ...rest } = cluster;
  const loadAssignment = endpoints.get(String(cluster["name"])) ?? {};
  return { ...rest, type: "STATIC", loadAssignment };
}

/** JSON in which route tables and plugins stand where they were asked for. */
function inlined(
  value: JsonValue,
  routes: ReadonlyMap<string, JsonObject>,
  extensions: ReadonlyMap<string, JsonObject>,
): JsonValue {
  if (Array.isArray(value)) return value.map((each) => inlined(each, routes, extensions));
  if (typeof value !== "object" || value === null) return value;
  const { rds, configDiscovery, ...rest } = value as JsonObject;
  const copy = Object.fromEntries(
    Object.entries(rest).map(([key, each]) => [key, inlined(each, routes, extensions)]),
  );
  if (rds !== undefined) {
    const wanted = (rds as JsonObject)["routeConfigName"];
    copy["routeConfig"] = routes.get(String(wanted)) ?? null;
  }
  if (configDiscovery !== undefined) {
    const found = extensions.get(String(copy["name"])) ?? {};
    copy["typedConfig"] = found["typedConfig"] ?? null;
  }
  return copy;
}
