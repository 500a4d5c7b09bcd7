import { checkBudget, type Header, load } from "@weft/sdk/vitest";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

const { host, open } = plugin.start({});

/** Sends one request through, to its end. */
function exchange(request: Header[], status: string, body: string[] = []): void {
  const stream = open();
  stream.requestHeaders([[":path", "/"], ...request]);
  stream.responseHeaders([[":status", status]], body.length === 0);
  for (const piece of body) stream.responseBody(piece);
  stream.close();
}

/** The name under which Envoy's tag rules find the labels. */
const requests = (tenant: string, outcome: string) =>
  host.counters.get(`requests_total.tenant=.=${tenant};.;outcome=.=${outcome};.;`);

test("requests count by tenant and class of status", () => {
  exchange([["x-tenant", "blue"]], "200");
  exchange([["x-tenant", "blue"]], "204");
  exchange([["x-tenant", "blue"]], "503");
  exchange([], "200");
  expect(requests("blue", "2xx")).toBe(2n);
  expect(requests("blue", "5xx")).toBe(1n);
  expect(requests("none", "2xx")).toBe(1n);
});

test("a request that ends without a response counts too", () => {
  const stream = open();
  stream.requestHeaders([["x-tenant", "red"]]);
  stream.close();
  expect(requests("red", "none")).toBe(1n);
});

test("the size of a response is that of all its pieces", () => {
  exchange([], "200", ["four", "five!"]);
  expect(host.histograms.get("response_bytes")?.at(-1)).toBe(9n);
});

test("clients cannot make ever more metrics", () => {
  for (let i = 0; i < 600; i++) exchange([["x-tenant", `t${i}`]], "200");
  expect(requests("other", "other")).toBeGreaterThan(90n);
  expect(host.counters.size).toBeLessThan(510);
});

test("stays within its budget", () => checkBudget(import.meta.dirname));
