import { resolve } from "node:path";
import { buildPlugin } from "@weft/sdk/build";
import { expect, test } from "vitest";
import { startPluginEnvoy, until } from "../world/plugin-envoy.ts";

const { wasm } = await buildPlugin(resolve("extensions/cookie-canary"));

const direct = (name: string, match: object) => ({
  match: { prefix: "/", ...match },
  direct_response: { status: 200, body: { inline_string: name } },
});
const isCanary = { headers: [{ name: "x-canary", string_match: { exact: "canary" } }] };
const routes = [direct("v2", isCanary), direct("v1", {})];

const counted = (version: string) =>
  `wasmcustom.canary_requests_total.canary=.=canary;.;version=.=${version};.;class=.=2xx;.;`;

test("users come to the canary as it grows, and stay, on every worker", async () => {
  const configuration = (percent: number) => ({ percent, key: { header: "x-user" } });
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration: configuration(0),
    routes,
    workers: 2,
  });
  const users = Array.from({ length: 40 }, (_, i) => `user-${i}`);
  const onCanary = async () => {
    const found = new Set<string>();
    for (const user of users) {
      const { body } = await envoy.fetch("/", { headers: { "x-user": user } });
      if (body === "v2") found.add(user);
    }
    return found;
  };
  let before = await onCanary();
  expect(before.size).toBe(0);
  for (const percent of [25, 60, 100]) {
    await envoy.swap(wasm, configuration(percent));
    const now = await onCanary();
    expect([...before].filter((user) => !now.has(user))).toEqual([]);
    expect(now.size).toBeGreaterThan(before.size);
    expect(await onCanary()).toEqual(now);
    before = now;
  }
  expect(before.size).toBe(users.length);
});

test("a visitor gets a cookie, and with it the same version again", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration: { percent: 50, cookie: { maxAgeSeconds: 60 } },
    routes,
  });
  for (let i = 0; i < 10; i++) {
    const first = await envoy.fetch("/");
    const cookie = first.header("set-cookie") ?? "";
    expect(cookie).toMatch(/^canary=\d+; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax; Secure$/);
    const headers = { cookie: cookie.split(";")[0] ?? "" };
    const second = await envoy.fetch("/", { headers });
    expect([second.body, second.header("set-cookie")]).toEqual([first.body, undefined]);
  }
  const total = async () =>
    ((await envoy.stats(counted("canary"))) ?? 0) + ((await envoy.stats(counted("stable"))) ?? 0);
  await until(async () => (await total()) === 20, "all counts");
});

test("a tester with the secret gets the canary nobody has, and the secret goes no further", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration: { percent: 0, testers: { header: "x-canary-test", secret: "s3cret" } },
  });
  const seen = async (word: string) => {
    const headers = { "x-canary-test": word, "x-canary": "canary" };
    return (await envoy.fetch("/", { headers })).json().headers.filter(([name]: [string]) => {
      return name.startsWith("x-canary");
    });
  };
  expect(await seen("canary:s3cret")).toEqual([["x-canary", "canary"]]);
  expect(await seen("canary")).toEqual([["x-canary", "stable"]]);
});
