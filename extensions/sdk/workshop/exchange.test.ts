import { expect, test } from "vitest";
import { chunkOf, readExchange, readExchanges } from "./exchange.ts";

const GET = { request: { headers: [[":path", "/"]] } };

/** What is said of a slip. */
function slip(value: unknown): string {
  try {
    readExchange(value, { file: "a.json", path: [] });
  } catch (error) {
    return (error as Error).message;
  }
  return "none";
}

test.each([
  [{}, 'a.json: has no request: add "request"'],
  [[], "a.json: is a list, no object: write an object in braces"],
  [
    { ...GET, reqest: 1 },
    "a.json: reqest is no field here: there are configuration, configurationBase64, rootId, properties, upstreams, faults, request, response, recorded",
  ],
  [
    { request: { headers: { ":path": "/" } } },
    "a.json: request.headers is an object, no list: write a list in brackets",
  ],
  [
    { request: { headers: [[":path", "/"], ["x"]] } },
    'a.json: request.headers[1] is a list, no header: write ["name", "value"]',
  ],
  [
    { request: { headers: [["", "x"]] } },
    'a.json: request.headers[0] has no name: write ["name", "value"]',
  ],
  [
    { request: { headers: [], body: [7] } },
    'a.json: request.body[0] is 7, no piece of a body: write "text" or {"base64": "…"}',
  ],
  [
    { ...GET, upstreams: { "my authz": { status: 99 } } },
    'a.json: upstreams["my authz"].status is 99: write a whole number from 100 to 599',
  ],
  [
    { ...GET, upstreams: { authz: [] } },
    "a.json: upstreams.authz has no answer: write at least one",
  ],
  [
    { ...GET, properties: { source: { port: null } } },
    "a.json: properties.source.port is null: leave the property out",
  ],
  [
    { connection: { downstream: ["x"], upstreem: [] } },
    "a.json: connection.upstreem is no field here: there are downstream, upstream",
  ],
  [{ ...GET, faults: [{ call: "proxy_log" }] }, 'a.json: faults[0] has no status: add "status"'],
])("%j is refused with its place and its mend", (value, told) => {
  expect(slip(value)).toBe(told);
});

test("properties that are whole numbers are integers", () => {
  const properties = { source: { port: 80 }, ratio: 0.5, list: ["a"], raw: { base64: "AQ==" } };
  expect(readExchange({ ...GET, properties }, { file: "", path: [] }).properties).toEqual({
    source: { port: 80n },
    ratio: 0.5,
    list: ["a"],
    raw: Uint8Array.of(1),
  });
});

test("a .jsonl holds one exchange a line, and slips name the line", () => {
  const line = JSON.stringify(GET);
  expect(readExchanges(`${line}\n\n${line}\n`, "a.jsonl")).toHaveLength(2);
  expect(readExchanges(JSON.stringify(GET, null, 2), "a.json")).toEqual([GET]);
  expect(() => readExchanges(`${line}\n{"request": 1}\n`, "a.jsonl")).toThrow(
    "a.jsonl:2: request is 1, no object",
  );
  expect(() => readExchanges(`${line}\n{`, "a.jsonl")).toThrow("a.jsonl:2: is no JSON: ");
});

test("bytes are written as text where they are", () => {
  expect(chunkOf(Buffer.from("é"))).toBe("é");
  expect(chunkOf(Uint8Array.of(0xff))).toEqual({ base64: "/w==" });
});
