import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { create, type JsonValue } from "@bufbuild/protobuf";
import { assert } from "@weft/core/error";
import {
  applyManifests,
  type ChangeDraft,
  type Proxy as EnvoyProxy,
  emptyMesh,
  isError,
  type Mesh,
  manifestOf,
  previewMesh,
  readManifests,
} from "@weft/core/mesh";
import { PluginSchema } from "@weft/proto/weft/mesh/v1/plugin_pb.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { snapshotOf } from "../snapshot.ts";
import { type Resources, toJson, translate } from "./translate.ts";

const golden = join(import.meta.dirname, "golden");
const cases = globSync("*/mesh.yaml", { cwd: golden }).map(dirname).sort();

/** The proxy that a case is translated for, unless it brings its own. */
const SIDECAR: EnvoyProxy = {
  id: "sidecar~127.0.0.2~productpage-v1.default~default.svc.cluster.local",
  type: "sidecar",
  ip: "127.0.0.2",
  namespace: "default",
  labels: { app: "productpage", version: "v1" },
  serviceAccount: "productpage",
};

/** The code of the plugin that is published in every case; goldens show it without its bytes. */
const CODE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();

function readMesh(name: string): Mesh {
  const path = join(golden, name, "mesh.yaml");
  const text = readFileSync(path, "utf8");
  const { manifests, findings } = readManifests([{ path, text }], { namespace: "default" });
  const errors = findings.filter(isError).map(({ message }) => message);
  expect(errors, `${name}/mesh.yaml`).toEqual([]);
  const empty = emptyMesh("test");
  return previewMesh(empty, [...applyManifests(empty, manifests), published()], sha256);
}

function published(): ChangeDraft {
  const metadata = { namespace: "", name: "header-stamp", labels: {}, annotations: {} };
  const spec = create(PluginSchema, { digest: Buffer.from(sha256(CODE)).toString("hex") });
  const put = manifestOf("Plugin", metadata, { spec });
  assert(put.ref !== undefined, "a manifest has a reference");
  return { operation: "create", ref: put.ref, put };
}

function readProxy(name: string): EnvoyProxy {
  const [path] = globSync("proxy.json", { cwd: join(golden, name) });
  if (path === undefined) return SIDECAR;
  return { ...SIDECAR, ...JSON.parse(readFileSync(join(golden, name, path), "utf8")) };
}

const translateCase = (name: string): Resources =>
  translate(readMesh(name), readProxy(name), () => CODE);

/** JSON with the bytes of modules left out. */
function print(json: readonly JsonValue[]): string {
  const elide = (key: string, value: unknown) => (key === "inlineBytes" ? "(code)" : value);
  return `${JSON.stringify(json, elide, 2)}\n`;
}

describe("each golden mesh gives its resources", () => {
  test.each(cases)("%s", async (name) => {
    const json = toJson(translateCase(name));
    for (const [type, resources] of Object.entries(json)) {
      if (resources.length === 0 && type === "extensions") continue;
      const file = join(golden, name, `${type}.json`);
      await expect(print(resources)).toMatchFileSnapshot(file);
    }
  });
});

test("every golden file belongs to a case", () => {
  const files = globSync("*/*.json", { cwd: golden });
  const strangers = files.filter((file) => !cases.includes(dirname(file)));
  const known = ["listeners", "routes", "clusters", "endpoints", "extensions", "proxy"];
  const unknown = files.filter((file) => !known.includes(basename(file, ".json")));
  expect({ strangers, unknown }).toEqual({ strangers: [], unknown: [] });
});

/** The same mesh with the resources of each kind put in another order. */
function shuffled(mesh: Mesh, order: <T>(items: readonly T[]) => T[]): Mesh {
  const entries = Object.entries(mesh.resources) as [string, ReadonlyMap<string, unknown>][];
  const resources = Object.fromEntries(
    entries.map(([kind, map]) => [kind, new Map(order([...map]))]),
  ) as Mesh["resources"];
  return { ...mesh, resources };
}

test("the order of a mesh's maps changes no byte", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...cases),
      fc.array(fc.nat(1_000), { minLength: 16, maxLength: 16 }),
      (name, keys) => {
        const mesh = readMesh(name);
        const order = <T>(items: readonly T[]): T[] =>
          items
            .map((item, index) => ({ item, key: keys[index % keys.length] ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ item }) => item);
        const proxy = readProxy(name);
        const again = translate(shuffled(mesh, order), proxy, () => CODE);
        expect(snapshotOf(again)).toEqual(snapshotOf(translateCase(name)));
      },
    ),
    { numRuns: 40 },
  );
});

test("translating does not change what it reads", () => {
  for (const name of cases) {
    const mesh = readMesh(name);
    const first = snapshotOf(translate(mesh, readProxy(name), () => CODE));
    expect(snapshotOf(translate(mesh, readProxy(name), () => CODE))).toEqual(first);
  }
});

test("what proxies of one mesh share is what each would get alone", () => {
  const proxies: readonly EnvoyProxy[] = [
    SIDECAR,
    { ...SIDECAR, labels: {} },
    { ...SIDECAR, namespace: "other" },
    { ...SIDECAR, ip: "198.18.0.2", httpProxyPort: 15_080 },
    { ...SIDECAR, type: "router", labels: { istio: "ingressgateway" } },
  ];
  for (const name of cases) {
    const mesh = readMesh(name);
    for (const proxy of proxies) {
      const together = snapshotOf(translate(mesh, proxy, () => CODE));
      expect(together).toEqual(snapshotOf(translate({ ...mesh }, proxy, () => CODE)));
    }
  }
});
