import { resolve } from "node:path";
import { buildPlugin } from "@weft/sdk/build";
import { expect, test } from "vitest";
import { startPluginEnvoy } from "../world/plugin-envoy.ts";

const { wasm } = await buildPlugin(resolve("extensions/header-transform"));

test("requests and responses are changed as the rules say", async () => {
  const configuration = {
    request: [
      { remove: ["x-internal-*"], rename: { "x-old": "x-new" } },
      {
        set: {
          "x-client": "%{property:source.address}",
          "x-port": "%{integer:destination.port}",
          "x-tenant": "%{cookie:tenant}",
          "x-page": "%{query:page|1}",
        },
      },
    ],
    response: [
      {
        replace: { location: { "http://": "https://" }, "set-cookie": { "; Domain=old.test": "" } },
      },
      {
        when: { path: { prefix: "/api/" } },
        whenResponse: { status: ["3xx"] },
        set: { "x-moved": "1" },
      },
      { when: { path: { prefix: "/static/" } }, set: { "x-static": "1" } },
      {
        set: { "x-echo": "%{request:x-ask} %{cookie:tenant}" },
        append: { "x-code": "%{header::status}" },
      },
    ],
  };
  let seen: Record<string, string | string[] | undefined> = {};
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration,
    upstream: (request, response) => {
      seen = request.headers;
      response.writeHead(302, [
        "location",
        "http://shop.test/",
        "set-cookie",
        "a=1; Domain=old.test",
        "set-cookie",
        "b=2",
      ]);
      response.end();
    },
  });
  const answer = await envoy.fetch("/api/orders?page=a%20b", {
    headers: [
      ["X-Internal-Role", "root"],
      ["x-old", "1"],
      ["x-old", "2"],
      ["x-new", "forged"],
      ["x-tenant", "forged"],
      ["x-ask", "why"],
      ["cookie", "tenant=blue; x=y"],
    ],
  });
  expect(seen).toMatchObject({
    "x-new": "1, 2",
    "x-port": String(envoy.port),
    "x-tenant": "blue",
    "x-page": "a b",
  });
  expect(seen["x-client"]).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(Object.keys(seen).filter((name) => /internal|old/.test(name))).toEqual([]);
  expect(
    answer.headers.filter(([name]) => /^(x-(?!envoy)|location|set-cookie)/.test(name)),
  ).toEqual(
    expect.arrayContaining([
      ["location", "https://shop.test/"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["x-moved", "1"],
      ["x-echo", "why blue"],
      ["x-code", "302"],
    ]),
  );
  expect(answer.header("x-static")).toBeUndefined();
});

test("a header whose value is missing is not the client's to choose", async () => {
  const configuration = { request: [{ set: { "x-tenant": "%{cookie:tenant}" } }] };
  await using envoy = await startPluginEnvoy({ wasm, configuration });
  const { headers } = (await envoy.fetch("/", { headers: { "x-tenant": "root" } })).json();
  expect(headers.map(([name]: [string]) => name)).not.toContain("x-tenant");
});

test("a query cannot bring a line break into a header", async () => {
  const configuration = { request: [{ set: { "x-q": "%{query:q|none}" } }] };
  await using envoy = await startPluginEnvoy({ wasm, configuration });
  const { headers } = (await envoy.fetch("/?q=a%0d%0ax-forged:%201")).json();
  expect(headers).toContainEqual(["x-q", "none"]);
});

test("a rule that chooses by a header it sets itself changes the route", async () => {
  const direct = (name: string, match: object) => ({
    match: { prefix: "/", ...match },
    direct_response: { status: 200, body: { inline_string: name } },
  });
  const blue = { headers: [{ name: "x-tenant", string_match: { exact: "blue" } }] };
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration: { request: [{ set: { "x-tenant": "%{query:tenant|none}" } }] },
    routes: [direct("blue's", blue), direct("everybody's", {})],
  });
  expect((await envoy.fetch("/?tenant=blue")).body).toBe("blue's");
  expect((await envoy.fetch("/", { headers: { "x-tenant": "blue" } })).body).toBe("everybody's");
});
