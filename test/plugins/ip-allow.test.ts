import { resolve } from "node:path";
import { buildPlugin } from "@weft/sdk/build";
import { expect, test } from "vitest";
import { startPluginEnvoy } from "../world/plugin-envoy.ts";

const { wasm } = await buildPlugin(resolve("extensions/ip-allow"));

type Headers = readonly (readonly [string, string])[];

test("a peer passes by its address, whatever it says of itself", async () => {
  await using envoy = await startPluginEnvoy({ wasm, configuration: { allow: ["127.0.0.0/8"] } });
  expect((await envoy.fetch("/")).status).toBe(200);
  const configuration = { allow: ["9.0.0.0/8"] };
  await envoy.swap(wasm, configuration);
  const denied = await envoy.fetch("/");
  expect([denied.status, denied.body]).toEqual([403, "access denied\n"]);
  // Without use_remote_address Envoy takes the client's word for its address: the plugin does not.
  const forged: Headers = [["x-forwarded-for", "9.9.9.9"]];
  expect((await envoy.fetch("/", { headers: forged })).status).toBe(403);
  const counted = "wasmcustom.ip_allow_requests_total.decision=.=deny;.;reason=.=unknown;.;";
  expect(await envoy.stats(counted)).toBe(1);
  await envoy.swap(wasm, { ...configuration, source: "remote" });
  expect((await envoy.fetch("/", { headers: forged })).status).toBe(200);
});

test("where Envoy adds the peer to x-forwarded-for, a client cannot choose the right entry", async () => {
  const manager = { use_remote_address: true };
  const everybody = { source: "header", defaultAction: "allow" };
  await using envoy = await startPluginEnvoy({ wasm, configuration: everybody, manager });
  // For a peer on loopback Envoy writes the address of the machine.
  const { headers } = (await envoy.fetch("/")).json();
  const [, own] = headers.find(([name]: [string]) => name === "x-forwarded-for");
  await envoy.swap(wasm, { ...everybody, deny: [own] });
  const statusOf = async (...values: string[]) => {
    const headers = values.map((value) => ["x-forwarded-for", value] as const);
    return (await envoy.fetch("/", { headers })).status;
  };
  expect(await statusOf()).toBe(403);
  expect(await statusOf("9.9.9.9")).toBe(403);
  expect(await statusOf("9.9.9.9", "8.8.8.8, 7.7.7.7")).toBe(403);
  // One proxy before this one: its peer is the second entry from the right, of all lines.
  await envoy.swap(wasm, { source: "header", trustedHops: 2, allow: ["9.9.9.9"] });
  expect(await statusOf("9.9.9.9")).toBe(200);
  expect(await statusOf("9.9.9.9", "8.8.8.8")).toBe(403);
  expect(await statusOf("8.8.8.8, 9.9.9.9")).toBe(200);
  expect(await statusOf()).toBe(403);
});

test("a dry run denies nobody and counts", async () => {
  const configuration = { allow: ["9.0.0.0/8"], dryRun: true };
  await using envoy = await startPluginEnvoy({ wasm, configuration });
  expect((await envoy.fetch("/")).status).toBe(200);
  const counted = "wasmcustom.ip_allow_requests_total.decision=.=would_deny;.;reason=.=default;.;";
  expect(await envoy.stats(counted)).toBe(1);
});

test("thousands of ranges come over ECDS, and a wrong one leaves those there are", async () => {
  const allow = Array.from({ length: 5_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration: { allow: [...allow, "127.0.0.1"] },
  });
  expect((await envoy.fetch("/")).status).toBe(200);
  await expect(envoy.swap(wasm, { allow: ["10.0.0.1/8"] })).rejects.toThrow(
    "ip-allow: allow[0] is no range: bits behind its length are set",
  );
  expect((await envoy.fetch("/")).status).toBe(200);
});
