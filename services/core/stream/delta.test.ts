import { describe, expect, test } from "vitest";
import { createScript } from "./script.ts";

const two = { CDS: { "static-a": "1", "static-b": "1" }, LDS: {} };

describe("subscriptions", () => {
  test("C2: an empty first request is the wildcard, and naming a resource does not end it", () => {
    const client = createScript("delta");
    client.set(two);
    expect(client.say("CDS")).toEqual(["CDS static-a@1 static-b@1"]);
    client.ack("CDS");
    expect(client.say("CDS", { sub: ["static-a"] })).toEqual(["CDS static-a@1"]);
    client.ack("CDS");
    expect(client.say("CDS", { unsub: ["static-a"] })).toEqual(["CDS static-a@1"]);
    client.ack("CDS");
    expect(client.set({ CDS: { "static-a": "1", "static-b": "2" } })).toEqual(["CDS static-b@2"]);
  });

  test("C2: the wildcard ends with *, and dropping the last name does not bring it back", () => {
    const client = createScript("delta");
    client.set(two);
    client.say("CDS");
    client.ack("CDS", { sub: ["static-a"], unsub: ["*"] });
    client.ack("CDS", { unsub: ["static-a"] });
    expect(client.set({ CDS: { "static-a": "2", "static-b": "2" } })).toEqual([]);
  });

  test("C3: a client may ask for nothing", () => {
    const client = createScript("delta");
    client.set(two);
    expect(client.say("CDS", { sub: ["*"], unsub: ["*"] })).toEqual(["CDS"]);
    client.ack("CDS");
    expect(client.set({ CDS: { "static-a": "2" } })).toEqual([]);
  });

  test("C4: a later subscription is answered though the version is the same", () => {
    const client = createScript("delta");
    client.set({ EDS: { a: "1" } });
    expect(client.say("EDS", { sub: ["a"] })).toEqual(["EDS a@1"]);
    client.ack("EDS");
    expect(client.say("EDS", { sub: ["a"] })).toEqual(["EDS a@1"]);
  });

  test("C5: a name that leaves beside a wildcard is answered, from the wildcard or as removed", () => {
    const client = createScript("delta");
    client.set(two);
    client.say("CDS", { sub: ["*", "static-a", "static-z"] });
    client.ack("CDS");
    expect(client.say("CDS", { unsub: ["static-a"] })).toEqual(["CDS static-a@1"]);
    client.ack("CDS");
    expect(client.say("CDS", { unsub: ["static-z"] })).toEqual(["CDS -static-z"]);
  });

  test("C6: a plain unsubscription needs no answer, nor does one of a name never asked for", () => {
    const client = createScript("delta");
    client.set({ EDS: { a: "1" } });
    client.say("EDS", { sub: ["a"] });
    client.ack("EDS");
    expect(client.say("EDS", { unsub: ["a", "phantom"] })).toEqual([]);
    expect(client.set({ EDS: { a: "2", phantom: "1" } })).toEqual([]);
  });

  test.each(["EDS", "SDS", "CDS"])("C7: an absent %s name is removed at once and kept", (type) => {
    const client = createScript("delta");
    client.set({ [type]: {} });
    expect(client.say(type, { sub: ["static-z"] })).toEqual([`${type} -static-z`]);
    client.ack(type);
    expect(client.set({ [type]: { "static-z": "1" } })).toEqual([`${type} static-z@1`]);
  });

  test.each(["RDS", "ECDS"])("C7: an absent %s name meets silence and is kept", (type) => {
    const client = createScript("delta");
    client.set({ [type]: {} });
    expect(client.say(type, { sub: ["z"] })).toEqual([]);
    expect(client.set({ [type]: { z: "1" } })).toEqual([`${type} z@1`]);
  });

  test.each(["RDS", "ECDS"])(
    "C18: a %s resource that goes away is never called removed",
    (type) => {
      const client = createScript("delta");
      client.set({ [type]: { z: "1" } });
      client.say(type, { sub: ["z"] });
      client.ack(type);
      expect(client.set({ [type]: {} })).toEqual([]);
      expect(client.wait(60_000)).toEqual([]);
    },
  );

  test("C9: the wildcard of an empty mesh is answered, once", () => {
    const client = createScript("delta");
    client.set({ CDS: {}, LDS: {} });
    expect(client.say("CDS")).toEqual(["CDS"]);
    expect(client.ack("CDS")).toEqual([]);
    expect(client.say("LDS")).toEqual(["LDS"]);
    expect(client.ack("LDS")).toEqual([]);
  });

  test("A4: a type that is not served is told of once and harms nothing", () => {
    const client = createScript("delta");
    client.set(two);
    expect(client.say("type.googleapis.com/nds", { sub: ["x"] })).toEqual([]);
    expect(client.received()).toEqual({
      case: "unknown_type",
      typeUrl: "type.googleapis.com/nds",
    });
    client.say("type.googleapis.com/nds");
    expect(client.received()).toBeUndefined();
    expect(client.say("CDS")).toEqual(["CDS static-a@1 static-b@1"]);
  });

  test("A3: a request without a type is refused", () => {
    expect(() => createScript("delta").say("")).toThrow("xds.bad_request");
  });

  test("C1: a stale nonce still subscribes", () => {
    const client = createScript("delta");
    client.set({ EDS: { a: "1", b: "1" } });
    client.say("EDS", { sub: ["a"] });
    expect(client.say("EDS", { sub: ["b"], nonce: "stale" })).toEqual([]);
    expect(client.ack("EDS")).toEqual(["EDS b@1"]);
  });

  test("F4: nothing is answered before the first snapshot, then everything that was asked", () => {
    const client = createScript("delta");
    expect(client.say("CDS")).toEqual([]);
    expect(client.say("EDS", { sub: ["a"] })).toEqual([]);
    expect(client.set({ CDS: { a: "1" }, EDS: { a: "1" } })).toEqual(["CDS a@1", "EDS a@1"]);
  });
});

describe("reconnecting", () => {
  test("C10: versions the client holds decide what is sent and what is removed", () => {
    const client = createScript("delta");
    client.set({ LDS: { a: "1", b: "2", d: "1" } });
    expect(client.say("LDS", { irv: { a: "1", b: "1", c: "1" } })).toEqual(["LDS b@2 d@1 -c"]);
  });

  test("C11: Envoy's first messages with all versions equal bring nothing", () => {
    const client = createScript("delta");
    client.set({
      CDS: { a: "1" },
      EDS: { a: "1" },
      LDS: { l: "1" },
      RDS: { r: "1" },
      ECDS: { p: "1" },
      SDS: { s: "1" },
    });
    const said = [
      client.say("CDS", { irv: { a: "1" } }),
      client.say("EDS", { sub: ["a"], irv: { a: "1" } }),
      client.say("LDS", { irv: { l: "1" } }),
      client.say("RDS", { sub: ["r"], irv: { r: "1" } }),
      client.say("ECDS", { sub: ["p"], irv: { p: "1" } }),
      client.say("SDS", { sub: ["s"], irv: { s: "1" } }),
    ];
    expect(said.flat()).toEqual([]);
    // D7: it is in step, but has acknowledged nothing here.
    expect(client.status()).toMatchObject({ state: "SYNCED", ackedRevision: 1, resourcesSent: 0 });
    expect(client.status().ackedAtMs).toBeUndefined();
  });

  test("C14: a client that asks for endpoints first was warming, and gets them all again", () => {
    const client = createScript("delta");
    client.set({ CDS: { a: "2", b: "1" }, EDS: { a: "1", b: "1" } });
    const irv = { a: "1", b: "1" };
    expect(client.say("EDS", { sub: ["a", "b"], irv })).toEqual(["EDS a@1 b@1"]);
  });

  test("C15: endpoints asked before clusters come again behind a changed cluster", () => {
    const client = createScript("delta");
    client.set({ CDS: { a: "2" }, EDS: { a: "1" } });
    client.say("EDS", { sub: ["a"], irv: { a: "1" } });
    client.ack("EDS");
    expect(client.say("CDS", { irv: { a: "1" } })).toEqual(["CDS a@2", "EDS a@1"]);
  });

  test("C16: no type waits for the request of another", () => {
    const client = createScript("delta");
    client.set({ CDS: { a: "2" }, EDS: { a: "2" }, LDS: { l: "2" } });
    expect(client.say("EDS", { sub: ["a"], irv: { a: "1" } })).toEqual(["EDS a@2"]);
    client.ack("EDS");
    expect(client.say("LDS", { irv: { l: "1" } })).toEqual(["LDS l@2"]);
  });
});

describe("responses", () => {
  test("A9: a name that goes and comes back in one window is never in both lists", () => {
    const client = createScript("delta");
    client.set({ LDS: { a: "1", b: "1" } });
    client.say("LDS");
    client.set({ LDS: { b: "1" } });
    client.set({ LDS: { a: "2" } });
    expect(client.ack("LDS")).toEqual(["LDS a@2 -b"]);
  });

  test("G1: changes behind an unanswered response become one", () => {
    const client = createScript("delta");
    client.set({ EDS: { a: "0" } });
    client.say("EDS", { sub: ["a"] });
    for (let version = 1; version <= 1000; version++) {
      expect(client.set({ EDS: { a: String(version) } })).toEqual([]);
    }
    expect(client.ack("EDS")).toEqual(["EDS a@1000"]);
    expect(client.ack("EDS")).toEqual([]);
  });

  test("B11: an equal snapshot brings nothing, and its revision counts as acknowledged", () => {
    const client = createScript("delta");
    client.set({ CDS: { "static-a": "1" } });
    client.say("CDS");
    client.ack("CDS");
    expect(client.set({ CDS: { "static-a": "1" } })).toEqual([]);
    expect(client.status()).toMatchObject({ state: "SYNCED", ackedRevision: 2 });
  });

  test("a change taken back before it could go is not sent", () => {
    const client = createScript("delta");
    client.set({ EDS: { a: "1", b: "1" } });
    client.say("EDS", { sub: ["a"] });
    client.set({ EDS: { a: "2", b: "1" } });
    client.set({ EDS: { a: "1", b: "1" } });
    expect(client.ack("EDS")).toEqual([]);
  });
});
