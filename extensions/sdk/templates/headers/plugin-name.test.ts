import { checkBudget, type Header, load } from "@weft/sdk/vitest";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

/** What goes on of a request for a host. */
function request(authority: string, ...more: Header[]) {
  const stream = plugin.start({ domain: "example.com" }).open();
  return stream.requestHeaders([[":path", "/"], [":authority", authority], ...more]);
}

test("the first label of the host is the tenant", () => {
  expect(request("shop.example.com")).toHaveHeader("x-tenant", "shop");
  expect(request("blue.Example.com:8443")).toHaveHeader("x-tenant", "blue");
});

test.each(["example.com", "a.b.example.com", "shop.example.org", ".example.com", ""])(
  "%j has no tenant, and the client cannot say otherwise",
  (host) => {
    expect(request(host, ["x-tenant", "forged"])).not.toHaveHeader("x-tenant");
  },
);

test("a forged header gives way to the true one", () => {
  const forged: Header[] = [
    ["x-tenant", "forged"],
    ["X-Tenant", "again"],
  ];
  expect(request("shop.example.com", ...forged)).toHaveHeader("x-tenant", "shop");
});

test("responses do not tell what serves them", () => {
  const stream = plugin.start({ domain: "example.com" }).open();
  const headers = stream.responseHeaders([
    [":status", "200"],
    ["x-powered-by", "PHP"],
  ]);
  expect(headers).toEqual([[":status", "200"]]);
});

test("the domain must be given", () => {
  expect(plugin.refusal({})).toMatch("domain");
  expect(plugin.refusal({ domain: "" })).toMatch("domain: must have at least 1");
});

test("stays within its budget", () => checkBudget(import.meta.dirname));
