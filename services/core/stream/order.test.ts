import { describe, expect, test } from "vitest";
import { createScript } from "./script.ts";

const before = {
  CDS: { x: "1" },
  EDS: { x: "1" },
  LDS: { l: "1" },
  RDS: { r: "x" },
};

/** A proxy that has taken all of `before`. */
function connected() {
  const client = createScript("delta");
  client.set(before);
  client.say("CDS");
  client.say("EDS", { sub: ["x"] });
  client.ack("CDS");
  client.ack("EDS");
  client.say("LDS");
  client.say("RDS", { sub: ["r"] });
  client.ack("LDS");
  client.ack("RDS");
  return client;
}

const moved = { CDS: { y: "1" }, EDS: { y: "1" }, LDS: { l: "1" }, RDS: { r: "y" } };

describe("make before break", () => {
  test("E1: a route that moves finds its new cluster, and the old one goes last", () => {
    const client = connected();
    expect(client.set(moved)).toEqual(["CDS y@1"]);
    expect(client.say("EDS", { sub: ["y"] })).toEqual(["EDS y@1"]);
    expect(client.ack("EDS")).toEqual(["RDS r@y"]);
    expect(client.ack("CDS")).toEqual([]);
    expect(client.status().state).toBe("STALE");
    expect(client.ack("RDS")).toEqual(["CDS -x"]);
    expect(client.say("EDS", { unsub: ["x"] })).toEqual([]);
    expect(client.ack("CDS")).toEqual([]);
    expect(client.status()).toMatchObject({ state: "SYNCED", ackedRevision: 2 });
  });

  test("rule 1: endpoints never wait for the ACK of their cluster", () => {
    const client = connected();
    expect(client.set({ CDS: { x: "2" }, EDS: { x: "2" } })).toEqual(["CDS x@2", "EDS x@2"]);
  });

  test("E2: without the ACK of endpoints no route goes", () => {
    const client = connected();
    client.set(moved);
    client.say("EDS", { sub: ["y"] });
    client.ack("CDS");
    expect(client.wait(9_000)).toEqual([]);
  });

  test("E4: endpoints that are never acknowledged hold routes for a bounded time, and that is told", () => {
    const client = connected();
    client.set(moved);
    client.say("EDS", { sub: ["y"] });
    expect(client.wakeAtMs()).toBe(10_000);
    expect(client.wait(10_000)).toEqual(["RDS r@y"]);
    expect(client.flags).toEqual([
      "listeners and routes went after 10000 ms, before the proxy had accepted its clusters and endpoints",
    ]);
  });

  test("E4: a refused route keeps its old cluster for a bounded time", () => {
    const client = connected();
    client.set(moved);
    client.say("EDS", { sub: ["y"] });
    client.ack("EDS");
    client.ack("CDS");
    expect(client.nack("RDS", "no")).toEqual([]);
    expect(client.wait(10_000)).toEqual(["CDS -x"]);
  });

  test("E4: a refused cluster does not hold endpoints", () => {
    const client = connected();
    client.set({ CDS: { x: "2" } });
    client.nack("CDS", "no");
    client.ack("EDS");
    expect(client.set({ EDS: { x: "2" } })).toEqual(["EDS x@2"]);
  });

  test("E5: endpoints go at once while a cluster's ACK is out", () => {
    const client = connected();
    client.set({ CDS: { x: "1", y: "1" }, EDS: { x: "1", y: "1" } });
    expect(client.set({ EDS: { x: "2", y: "1" } })).toEqual(["EDS x@2"]);
  });

  test("a listener that takes the place of another goes with it in one response", () => {
    const client = connected();
    expect(client.set({ LDS: { m: "1" } })).toEqual(["LDS m@1 -l"]);
  });

  test("E3: a SotW client gets the union of clusters, then the reduced set", () => {
    const client = createScript("sotw");
    client.set(before);
    client.say("CDS");
    client.say("EDS", { names: ["x"] });
    client.ack("CDS");
    client.ack("EDS");
    client.say("LDS");
    client.say("RDS", { names: ["r"] });
    client.ack("LDS");
    client.ack("RDS");
    expect(client.set(moved)).toEqual(["CDS y@1 x@1"]);
    expect(client.say("EDS", { names: ["x", "y"] })).toEqual(["EDS y@1"]);
    expect(client.ack("EDS")).toEqual(["RDS r@y"]);
    client.ack("CDS");
    expect(client.ack("RDS")).toEqual(["CDS y@1"]);
  });
});

describe("warming", () => {
  test("C12: a changed cluster is followed by its endpoints though they are the same", () => {
    const client = connected();
    expect(client.set({ CDS: { x: "2" } })).toEqual(["CDS x@2", "EDS x@1"]);
  });

  test("C12: an assignment in flight when its cluster changes is sent again behind it", () => {
    const client = connected();
    client.set({ EDS: { x: "2" } });
    expect(client.set({ CDS: { x: "2" } })).toEqual(["CDS x@2"]);
    expect(client.ack("EDS")).toEqual(["EDS x@2"]);
  });

  test("C13: a cluster that changes alone does not change the version of its endpoints", () => {
    const client = connected();
    client.set({ CDS: { x: "2" } });
    client.ack("EDS");
    client.ack("CDS");
    expect(client.set({ CDS: { x: "2" }, EDS: { x: "1" } })).toEqual([]);
  });

  test("C8: a cluster without endpoints gets the empty assignment that the snapshot holds", () => {
    const client = createScript("delta");
    client.set({ CDS: { idle: "1" }, EDS: { idle: "empty" } });
    client.say("CDS");
    expect(client.say("EDS", { sub: ["idle"] })).toEqual(["EDS idle@empty"]);
  });

  test("G1: a second response of clusters goes once the endpoints of the first are in", () => {
    const client = connected();
    client.set({ CDS: { x: "2" } });
    expect(client.set({ CDS: { x: "3" } })).toEqual([]);
    expect(client.ack("EDS")).toEqual(["CDS x@3", "EDS x@1"]);
    expect(client.set({ CDS: { x: "4" } })).toEqual([]);
    expect(client.ack("EDS")).toEqual([]);
    expect(client.ack("CDS")).toEqual(["CDS x@4", "EDS x@1"]);
  });
});

describe("a wedged client", () => {
  const WEDGED_MS = 30_000;

  test("rule 4: one cluster that is never answered is removed by name and held back", () => {
    const client = connected();
    client.set({ CDS: { x: "1", "static-bad": "1" } });
    expect(client.wait(WEDGED_MS - 1)).toEqual([]);
    expect(client.wait(1)).toEqual(["CDS -static-bad"]);
    client.ack("CDS");
    client.ack("CDS");
    expect(client.flags).toEqual([
      "cluster static-bad wedges the proxy and is held back until it changes",
    ]);
    expect(client.status().state).toBe("NACKED");
    expect(client.set({ CDS: { x: "1", "static-bad": "2" } })).toEqual(["CDS static-bad@2"]);
    client.ack("CDS");
    expect(client.status().state).toBe("SYNCED");
  });

  test("rule 4: of several, each is taken back to what was good and tried alone", () => {
    const client = connected();
    client.set({ CDS: { x: "2", "static-a": "1", "static-b": "1" } });
    client.ack("EDS");
    expect(client.wait(WEDGED_MS)).toEqual(["CDS x@1 -static-a -static-b", "EDS x@1"]);
    client.ack("EDS");
    client.ack("CDS");
    expect(client.ack("CDS")).toEqual(["CDS x@2", "EDS x@1"]);
    client.ack("EDS");
    expect(client.ack("CDS")).toEqual(["CDS static-a@1"]);
    expect(client.wait(5_000)).toEqual(["CDS -static-a"]);
    client.ack("CDS");
    expect(client.ack("CDS")).toEqual(["CDS static-b@1"]);
    expect(client.ack("CDS")).toEqual([]);
    expect(client.status().types.find(({ type }) => type === "CDS")?.nackedResources).toEqual([
      "static-a",
    ]);
  });

  test("rule 4: a cluster that was refused is the first suspect, and its refusal stays told", () => {
    const client = connected();
    client.set({ CDS: { x: "1", "static-bad": "1" } });
    client.nack("CDS", "static-bad: ring hash");
    client.set({ CDS: { x: "1", "static-bad": "1", "static-good": "1" } });
    expect(client.wait(WEDGED_MS)).toEqual(["CDS -static-bad"]);
    client.ack("CDS");
    client.ack("CDS");
    expect(client.status().types.find(({ type }) => type === "CDS")).toMatchObject({
      nack: "static-bad: ring hash",
      nackedResources: ["static-bad"],
    });
  });

  test("rule 4: a cluster that resolves a name may take as long as its resolver", () => {
    const client = connected();
    client.set({ CDS: { x: "1", "dns-slow": "1" } });
    expect(client.wait(WEDGED_MS)).toEqual([]);
    expect(client.wakeAtMs()).toBe(120_000);
  });

  test("rule 4: a proxy that answers nothing at all is left alone in the end", () => {
    const client = connected();
    client.set({ CDS: { x: "1", "static-bad": "1" } });
    for (let round = 0; round < 20; round++) client.wait(WEDGED_MS);
    expect(client.wakeAtMs()).toBeUndefined();
    expect(client.flags.length).toBeLessThanOrEqual(4);
  });
});
