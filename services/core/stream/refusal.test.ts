import { describe, expect, test } from "vitest";
import { createScript } from "./script.ts";

function withListeners(versions: Readonly<Record<string, string>>) {
  const client = createScript("delta");
  client.set({ LDS: versions });
  client.say("LDS");
  return client;
}

describe("refusals", () => {
  test("D1, D2: a refused resource is not sent again until it changes", () => {
    const client = withListeners({ a: "1" });
    expect(client.nack("LDS", "bad port")).toEqual([]);
    expect(client.set({ LDS: { a: "1" } })).toEqual([]);
    expect(client.status()).toMatchObject({ state: "NACKED", ackedRevision: 0 });
    expect(client.set({ LDS: { a: "2" } })).toEqual(["LDS a@2"]);
    client.ack("LDS");
    expect(client.status()).toMatchObject({ state: "SYNCED", ackedRevision: 3 });
  });

  test("rule 5: the rest of a refused response goes again one by one, and the bad one is named", () => {
    const client = withListeners({ a: "1", bad: "1", c: "1" });
    expect(client.nack("LDS", "bad: no")).toEqual(["LDS a@1"]);
    expect(client.ack("LDS")).toEqual(["LDS bad@1"]);
    expect(client.nack("LDS", "bad: no")).toEqual(["LDS c@1"]);
    expect(client.ack("LDS")).toEqual([]);
    const [listeners] = client.status().types;
    expect(listeners).toMatchObject({ nacks: 2, nack: "bad: no", nackedResources: ["bad"] });
  });

  test("rule 5: a change during that is sent in its turn, as it is then", () => {
    const client = withListeners({ a: "1", bad: "1" });
    client.nack("LDS", "bad: no");
    client.set({ LDS: { a: "1", bad: "2" } });
    expect(client.ack("LDS")).toEqual(["LDS bad@2"]);
    client.ack("LDS");
    expect(client.status().state).toBe("SYNCED");
  });

  test("rule 5: plugins always go one by one", () => {
    const client = createScript("delta");
    client.set({ ECDS: { p: "1", q: "1" } });
    expect(client.say("ECDS", { sub: ["p", "q"] })).toEqual(["ECDS p@1"]);
    expect(client.nack("ECDS", "no")).toEqual(["ECDS q@1"]);
    expect(client.ack("ECDS")).toEqual([]);
  });

  test("D3: a refusal may bring new names", () => {
    const client = createScript("sotw");
    client.set({ EDS: { a: "1", b: "1" } });
    client.say("EDS", { names: ["a"] });
    expect(client.nack("EDS", "no", { names: ["a", "b"] })).toEqual(["EDS b@1"]);
  });

  test("D4: after a refusal, a reconnecting client gets what it does not report", () => {
    const client = createScript("delta");
    client.set({ CDS: { "static-a": "1", "static-b": "1" } });
    expect(client.say("CDS", { irv: { "static-a": "1" } })).toEqual(["CDS static-b@1"]);
  });

  test("D5: the refusal of one resource names it in the status", () => {
    const client = withListeners({ a: "1" });
    client.nack("LDS", "bad port");
    expect(client.status().types).toEqual([
      {
        type: "LDS",
        resources: 1,
        acks: 0,
        nacks: 1,
        ackedAtMs: undefined,
        nack: "bad port",
        nackedAtMs: 0,
        nackedResources: ["a"],
      },
    ]);
  });

  test("a refused set of a SotW client waits for a change as a whole", () => {
    const client = createScript("sotw");
    client.set({ LDS: { a: "1", b: "1" } });
    client.say("LDS");
    expect(client.nack("LDS", "b: no")).toEqual([]);
    expect(client.set({ LDS: { a: "1", b: "2" } })).toEqual(["LDS b@2 a@1"]);
  });
});
