import { describe, expect, test } from "vitest";
import { createScript } from "./script.ts";

const two = { CDS: { "static-a": "1", "static-b": "1" } };

describe("subscriptions", () => {
  test("B1: clusters come as the complete set, and an empty one is sent too", () => {
    const client = createScript("sotw");
    client.set(two);
    expect(client.say("CDS")).toEqual(["CDS static-a@1 static-b@1"]);
    client.ack("CDS");
    expect(client.set({ CDS: { "static-a": "1", "static-b": "2" } })).toEqual([
      "CDS static-b@2 static-a@1",
    ]);
    client.ack("CDS");
    expect(client.set({ CDS: { "static-a": "1" } })).toEqual(["CDS static-a@1"]);
    client.ack("CDS");
    expect(client.set({ CDS: {} })).toEqual(["CDS"]);
  });

  test("B2: of endpoints only what changed is sent, and absence says nothing", () => {
    const client = createScript("sotw");
    client.set({ EDS: { a: "1", b: "1" } });
    expect(client.say("EDS", { names: ["a", "b"] })).toEqual(["EDS a@1 b@1"]);
    client.ack("EDS");
    expect(client.set({ EDS: { a: "2", b: "1" } })).toEqual(["EDS a@2"]);
    client.ack("EDS");
    expect(client.set({ EDS: { a: "2" } })).toEqual([]);
    expect(client.wait(60_000)).toEqual([]);
  });

  test("B3: no names mean all, until a name was given", () => {
    const client = createScript("sotw");
    client.set(two);
    client.say("CDS");
    expect(client.ack("CDS", { names: ["*", "static-a"] })).toEqual(["CDS static-a@1 static-b@1"]);
    client.ack("CDS", { names: ["static-a"] });
    client.say("CDS", { names: [] });
    expect(client.set({ CDS: { "static-a": "2" } })).toEqual([]);
  });

  test("B4: * and a name are both subscriptions, and dropping * keeps the name", () => {
    const client = createScript("sotw");
    client.set(two);
    expect(client.say("CDS", { names: ["*", "static-a"] })).toEqual(["CDS static-a@1 static-b@1"]);
    client.ack("CDS", { names: ["static-a"] });
    expect(client.set({ CDS: { "static-a": "1", "static-b": "2" } })).toEqual([]);
    expect(client.set({ CDS: { "static-a": "2", "static-b": "2" } })).toEqual(["CDS static-a@2"]);
  });

  test("B5: no names of endpoints mean none", () => {
    const client = createScript("sotw");
    client.set({ EDS: { a: "1" } });
    expect(client.say("EDS", { names: [] })).toEqual([]);
    expect(client.say("EDS", { names: ["a"] })).toEqual(["EDS a@1"]);
  });

  test("B6: a name that comes back is sent again at the same version", () => {
    const client = createScript("sotw");
    client.set({ EDS: { a: "1" } });
    client.say("EDS", { names: ["a"] });
    client.ack("EDS");
    expect(client.say("EDS", { names: [] })).toEqual([]);
    expect(client.say("EDS", { names: ["a"] })).toEqual(["EDS a@1"]);
  });

  test("B7: an absent name is remembered", () => {
    const client = createScript("sotw");
    client.set({ EDS: {} });
    expect(client.say("EDS", { names: ["z"] })).toEqual([]);
    expect(client.set({ EDS: { z: "1" } })).toEqual(["EDS z@1"]);
  });

  test("B8: a name that comes with an old nonce while a response is out is sent once", () => {
    const client = createScript("sotw");
    client.set({ EDS: { a: "1", b: "1" } });
    client.say("EDS", { names: ["a"] });
    expect(client.say("EDS", { names: ["a", "b"], nonce: "old" })).toEqual([]);
    expect(client.ack("EDS")).toEqual(["EDS b@1"]);
    expect(client.ack("EDS")).toEqual([]);
  });

  test("B9: the first request of a type is the first, whatever its nonce", () => {
    const client = createScript("sotw");
    client.set(two);
    expect(client.say("CDS", { nonce: "77" })).toEqual(["CDS static-a@1 static-b@1"]);
  });

  test("B10: a set that a client holds already is not sent again, names of endpoints are", () => {
    const first = createScript("sotw");
    first.set({ ...two, EDS: { a: "1" } });
    first.say("CDS");
    const second = createScript("sotw");
    second.set({ CDS: { "static-b": "1", "static-a": "1" }, EDS: { a: "1" } });
    expect(second.say("CDS", { version: first.version("CDS") })).toEqual([]);
    expect(second.say("EDS", { names: ["a"], version: "1" })).toEqual(["EDS a@1"]);
    second.ack("EDS");
    expect(second.set({ CDS: { "static-a": "1" } })).toEqual(["CDS static-a@1"]);
  });

  test("B12: many changes of mind behind one response end in one", () => {
    const client = createScript("sotw");
    const names = Array.from({ length: 50 }, (_, index) => `e${index}`);
    client.set({ EDS: Object.fromEntries(names.map((name) => [name, "1"])) });
    client.say("EDS", { names: names.slice(0, 1) });
    for (let count = 2; count <= 50; count++) {
      expect(client.say("EDS", { names: names.slice(0, count) })).toEqual([]);
    }
    const rest = names.slice(1).map((name) => `${name}@1`);
    expect(client.ack("EDS")).toEqual([`EDS ${rest.join(" ")}`]);
  });

  test("a client that names clusters learns which of them there are", () => {
    const client = createScript("sotw");
    client.set(two);
    expect(client.say("CDS", { names: ["static-a", "static-z"] })).toEqual(["CDS static-a@1"]);
    client.ack("CDS");
    expect(client.say("LDS", { names: ["absent"] })).toEqual(["LDS"]);
  });

  test("the version of a set that waits for its gate is not that of the set to come", () => {
    const client = createScript("sotw");
    client.set({ CDS: { x: "1" }, EDS: { x: "1" }, LDS: { a: "1" } });
    for (const type of ["CDS", "LDS"]) client.say(type);
    const whole = client.version("CDS");
    client.say("EDS", { names: ["x"] });
    for (const type of ["CDS", "EDS", "LDS"]) client.ack(type);
    client.set({ CDS: { y: "1" } });
    expect(client.version("CDS")).not.toBe(whole);
    const fresh = createScript("sotw");
    fresh.set({ CDS: { y: "1" } });
    expect(fresh.say("CDS", { version: client.version("CDS") })).toEqual(["CDS y@1"]);
  });
});
