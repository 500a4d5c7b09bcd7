import { pbkdf2Sync, randomBytes } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildPlugin } from "../../extensions/sdk/build.ts";
import { startPluginEnvoy } from "../world/plugin-envoy.ts";

const { wasm } = await buildPlugin(join(import.meta.dirname, "../../extensions/basic-auth"));

const salt = randomBytes(16);
const hash = pbkdf2Sync("open sesame", salt, 2_000, 32, "sha256").toString("base64");
const users = { ann: `$pbkdf2-sha256$i=2000$${salt.toString("base64")}$${hash}` };

const basic = (credentials: string) => ({
  authorization: `Basic ${Buffer.from(credentials).toString("base64")}`,
});

test("only who knows a password gets through to the upstream, which learns who it is", async () => {
  const configuration = { users, userHeader: "x-user", exempt: ["/healthz"] };
  await using envoy = await startPluginEnvoy({ wasm, configuration });

  const asked = await envoy.fetch("/");
  expect([asked.status, asked.header("www-authenticate")]).toEqual([
    401,
    'Basic realm="restricted", charset="UTF-8"',
  ]);
  expect((await envoy.fetch("/", { headers: basic("ann:open") })).status).toBe(401);
  expect((await envoy.fetch("/healthz")).status).toBe(200);
  expect((await envoy.fetch("/healthz/../admin")).status).toBe(401);

  const headers = { ...basic("ann:open sesame"), "x-user": "root" };
  for (let i = 0; i < 3; i++) {
    const answer = await envoy.fetch("/orders", { headers });
    expect(answer.status).toBe(200);
    const received = answer
      .json()
      .headers.filter(([name]: [string]) => ["x-user", "authorization"].includes(name));
    expect(received).toEqual([["x-user", "ann"]]);
  }
  expect(await envoy.stats("wasmcustom.basic_auth_allowed_total")).toBe(3);
  expect(await envoy.stats("wasmcustom.basic_auth_denied_total.reason=.=missing;.;")).toBe(2);
  expect(envoy.logs).toEqual([]);
});

test("a configuration that holds no hash is refused, and what it holds is not logged", async () => {
  await using envoy = await startPluginEnvoy({ wasm, configuration: { users } });
  const wrong = { users: { ann: "open sesame" } };
  await expect(envoy.swap(wasm, wrong)).rejects.toThrow("users.ann must begin with");
  expect(JSON.stringify([envoy.logs, envoy.envoyLogs])).not.toContain("sesame");
  expect((await envoy.fetch("/", { headers: basic("ann:open sesame") })).status).toBe(200);
});
