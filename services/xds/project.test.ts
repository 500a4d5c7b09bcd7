import { create } from "@bufbuild/protobuf";
import { WeftError } from "@weft/core/error";
import { type Proxy as EnvoyProxy, emptyMesh, type Mesh, type Resource } from "@weft/core/mesh";
import { silentLogger } from "@weft/core/runtime";
import type { Snapshot } from "@weft/core/stream";
import { PluginSchema } from "@weft/proto/weft/mesh/v1/plugin_pb.ts";
import { WasmPluginSchema } from "@weft/proto/weft/mesh/v1/wasm_plugin_pb.ts";
import { describe, expect, test } from "vitest";
import { createPluginCode } from "./plugin-code.ts";
import { type Compile, createProjector, type MeshSource } from "./project.ts";

/** A mesh that a test moves by hand. */
function handMade(): MeshSource & { commit(change?: Partial<Mesh>): void } {
  const listeners = new Set<() => void>();
  let state: Mesh = { ...emptyMesh("test"), revision: 1 };
  return {
    get state() {
      return state;
    },
    get revision() {
      return state.revision;
    },
    caughtUp: Promise.resolve(),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    commit(change = {}) {
      state = { ...state, ...change, revision: state.revision + 1 };
      for (const listener of listeners) listener();
    },
  };
}

const proxy = (id: string, namespace = "shop"): EnvoyProxy => ({
  id,
  type: "sidecar",
  ip: "127.0.0.1",
  namespace,
  labels: {},
  serviceAccount: "",
});

/** One cluster that stays, one route that says the trust domain. */
const compile: Compile = (mesh) => {
  const of = (name: string, version: string) =>
    new Map([[name, { name, version, body: Buffer.from(version) }]]);
  return new Map([
    ["clusters", of("c", "1")],
    ["routes", of("r", mesh.trustDomain)],
  ]);
};

const noPlugins = createPluginCode({ get: () => Promise.reject(new Error("none")) }, silentLogger);

/** Collects what a proxy is given. */
function inbox() {
  const given: { readonly snapshot: Snapshot; readonly revision: number }[] = [];
  const waiting: (() => void)[] = [];
  return {
    given,
    deliver(snapshot: Snapshot, revision: number): void {
      given.push({ snapshot, revision });
      for (const done of waiting.splice(0)) done();
    },
    async reaches(revision: number): Promise<Snapshot> {
      for (;;) {
        const last = given.at(-1);
        if (last !== undefined && last.revision >= revision) return last.snapshot;
        await new Promise<void>((done) => waiting.push(done));
      }
    },
  };
}

describe("the projection", () => {
  test("proxies of equal scope share one snapshot, others do not", async () => {
    const mesh = handMade();
    let compiled = 0;
    const counting: Compile = (...given) => {
      compiled += 1;
      return compile(...given);
    };
    using projector = createProjector({
      mesh,
      compile: counting,
      plugins: noPlugins,
      log: silentLogger,
    });
    const [a, b, c] = [inbox(), inbox(), inbox()];
    projector.join(proxy("a"), a.deliver);
    projector.join(proxy("b"), b.deliver);
    projector.join(proxy("c", "other"), c.deliver);
    const [first, second, third] = [await a.reaches(1), await b.reaches(1), await c.reaches(1)];
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    // Equal resources are one object all the same, so that their bytes are encoded once.
    expect(third.get("clusters")?.get("c")).toBe(first.get("clusters")?.get("c"));
    expect(compiled).toBe(2);
  });

  test("a commit replaces what changed and keeps the rest as it is", async () => {
    const mesh = handMade();
    using projector = createProjector({ mesh, compile, plugins: noPlugins, log: silentLogger });
    const a = inbox();
    projector.join(proxy("a"), a.deliver);
    const before = await a.reaches(1);
    mesh.commit({ trustDomain: "new.example" });
    const after = await a.reaches(2);
    expect(after.get("clusters")).toBe(before.get("clusters"));
    expect(after.get("routes")?.get("r")?.version).toBe("new.example");
  });

  test("a commit that changes nothing still brings its revision", async () => {
    const mesh = handMade();
    using projector = createProjector({ mesh, compile, plugins: noPlugins, log: silentLogger });
    const a = inbox();
    projector.join(proxy("a"), a.deliver);
    const before = await a.reaches(1);
    mesh.commit();
    const after = await a.reaches(2);
    expect([...after.values()]).toEqual([...before.values()]);
    expect(after.get("routes")).toBe(before.get("routes"));
  });

  test("commits in one turn are one change", async () => {
    const mesh = handMade();
    using projector = createProjector({ mesh, compile, plugins: noPlugins, log: silentLogger });
    const a = inbox();
    projector.join(proxy("a"), a.deliver);
    await a.reaches(1);
    for (let count = 0; count < 100; count++) mesh.commit();
    await a.reaches(101);
    expect(a.given.map(({ revision }) => revision)).toEqual([1, 101]);
  });

  test("a scope that cannot be compiled keeps its last good snapshot", async () => {
    const mesh = handMade();
    const fragile: Compile = (state, ...rest) => {
      if (state.trustDomain === "bad") throw new Error("bug: bad");
      return compile(state, ...rest);
    };
    using projector = createProjector({
      mesh,
      compile: fragile,
      plugins: noPlugins,
      log: silentLogger,
    });
    const a = inbox();
    projector.join(proxy("a"), a.deliver);
    const good = await a.reaches(1);
    mesh.commit({ trustDomain: "bad" });
    mesh.commit({ trustDomain: "good" });
    expect((await a.reaches(3)).get("routes")).not.toBe(good.get("routes"));
    expect(a.given.every(({ snapshot }) => snapshot.get("routes")?.size === 1)).toBe(true);
  });

  test("a proxy that left is given nothing more", async () => {
    const mesh = handMade();
    using projector = createProjector({ mesh, compile, plugins: noPlugins, log: silentLogger });
    const [a, b] = [inbox(), inbox()];
    const leave = projector.join(proxy("a"), a.deliver);
    projector.join(proxy("b", "other"), b.deliver);
    await a.reaches(1);
    leave();
    mesh.commit();
    await b.reaches(2);
    expect(a.given).toHaveLength(1);
  });
});

describe("the code of plugins", () => {
  const resource = <K extends "Plugin" | "WasmPlugin">(kind: K, name: string, spec: unknown) =>
    ({ kind, namespace: "", name, spec, createdAt: 1, changedAt: 1 }) as Resource<K>;
  const meshWith = (digest: string): Mesh => ({
    ...emptyMesh("test"),
    resources: {
      Plugin: new Map([
        ["/stamp", resource("Plugin", "stamp", create(PluginSchema, { digest }))],
        ["/idle", resource("Plugin", "idle", create(PluginSchema, { digest: "idle" }))],
      ]),
      WasmPlugin: new Map([
        [
          "shop/stamp",
          resource("WasmPlugin", "stamp", create(WasmPluginSchema, { url: "weft://stamp" })),
        ],
      ]),
    },
  });

  test("is fetched once for each digest that is used, and let go of when it no longer is", async () => {
    const asked: string[] = [];
    const get = async (digest: string) => {
      asked.push(digest);
      return Buffer.from(digest);
    };
    const code = createPluginCode({ get }, silentLogger);
    expect(await code.load(meshWith("one"))).toEqual([]);
    expect(await code.load(meshWith("one"))).toEqual([]);
    expect(code.find("one")).toEqual(Buffer.from("one"));
    await code.load(meshWith("two"));
    expect(code.find("one")).toBeUndefined();
    expect(asked).toEqual(["one", "two"]);
  });

  test("that is not to be had is named, and does not hold up the next commit", async () => {
    let asked = 0;
    const get = async (): Promise<Uint8Array> => {
      asked += 1;
      throw new WeftError("missing", "log.blob_missing", "gone");
    };
    const code = createPluginCode({ get }, silentLogger);
    expect(await code.load(meshWith("one"))).toEqual(["one"]);
    expect(await code.load(meshWith("one"))).toEqual(["one"]);
    expect(asked).toBe(1);
  });
});
