import { resolve } from "node:path";
import { buildPlugin } from "@weft/sdk/build";
import { expect, test } from "vitest";
import { type PluginEnvoy, startPluginEnvoy, until } from "../world/plugin-envoy.ts";

const { wasm } = await buildPlugin(resolve("extensions/sdk/probe/story"));

const rootId = "mark";

/** What a request shows: its status, and the mark that reached the upstream. */
async function ask(envoy: PluginEnvoy, headers: Record<string, string> = {}): Promise<string> {
  const answer = await envoy.fetch("/", { headers });
  if (answer.status !== 200) return `${answer.status} ${answer.body}`.trim();
  const sent: [string, string][] = answer.json().headers;
  return `200 ${sent.find(([name]) => name === "x-mark")?.[1] ?? "unmarked"}`;
}

const trap = { "x-trap": "yes" };

/** An access log would say so in place of the body: Envoy answers 503 without one. */
const DEAD = "503";

test("FAIL_CLOSED: after a trap nothing passes, until something else comes", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    rootId,
    configuration: { mark: "a" },
    failurePolicy: "FAIL_CLOSED",
    vmId: "one",
  });
  expect(await ask(envoy)).toBe("200 a");
  expect(await ask(envoy, trap)).toBe(DEAD);
  expect(await ask(envoy)).toBe(DEAD);
  // The same again changes nothing: Envoy takes it, and the VM stays as dead as it is.
  await envoy.swap(wasm, { mark: "a" });
  expect(await ask(envoy)).toBe(DEAD);
  await envoy.swap(wasm, { mark: "b" });
  expect(await ask(envoy)).toBe("200 b");
  expect(await ask(envoy, trap)).toBe(DEAD);
  await envoy.swap(wasm, { mark: "b" }, { vmId: "two" });
  expect(await ask(envoy)).toBe("200 b");
});

test("FAIL_OPEN: the request that traps is lost, later ones pass without the plugin", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    rootId,
    configuration: { mark: "a" },
    failurePolicy: "FAIL_OPEN",
  });
  expect(await ask(envoy)).toBe("200 a");
  expect(await ask(envoy, trap)).toBe(DEAD);
  expect(await ask(envoy)).toBe("200 unmarked");
  expect(await ask(envoy, trap)).toBe("200 unmarked");
});

test("FAIL_RELOAD: the plugin is started again, once it has lived for a while", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    rootId,
    configuration: { mark: "a" },
    failurePolicy: "FAIL_RELOAD",
    reloadIntervalMs: 2,
  });
  expect(await ask(envoy, trap)).toBe(DEAD);
  await until(async () => (await ask(envoy)) === "200 a", "a plugin that is started again");
  expect(await envoy.stats("wasm.plugin.vm_reload_success")).toBe(1);
});

test("FAIL_RELOAD: a plugin that traps all the time is left dead for the interval", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    rootId,
    configuration: { mark: "a" },
    failurePolicy: "FAIL_RELOAD",
    reloadIntervalMs: 3_600_000,
  });
  expect(await ask(envoy, trap)).toBe(DEAD);
  expect(await ask(envoy)).toBe(DEAD);
  expect(await envoy.stats("wasm.plugin.vm_reload_backoff")).toBe(1);
  expect(await envoy.stats("wasm.plugin.vm_reload_success")).toBe(0);
});

test("a trap shows where it was in Envoy's log", async () => {
  await using envoy = await startPluginEnvoy({ wasm, rootId, configuration: { mark: "a" } });
  await ask(envoy, trap);
  const told = (): string => envoy.envoyLogs.find((line) => line.includes("backtrace")) ?? "";
  await until(() => told() !== "", "the backtrace");
  expect(told()).toContain("proxy_on_request_headers");
});

test.each([
  [{ mark: 7 }, "mark: mark: expected a string, found a number, at byte 8"],
  [{ percent: 101 }, "mark: percent: must be at most 100, at byte 11"],
  [{ marc: "a" }, "mark: marc is no setting; there are mark, percent and traps, at byte 1"],
  ["{", "mark: configuration: expected a name in quotes, found the end, at byte 1"],
  ["[]", "mark: configuration: expected an object, found an array, at byte 0"],
])(
  "the configuration %j is refused at the start, and the reason names the field",
  async (configuration, reason) => {
    await expect(startPluginEnvoy({ wasm, rootId, configuration })).rejects.toThrow(reason);
  },
);

test("what is refused at a swap leaves the old one as it is, whatever the policy", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    rootId,
    configuration: { mark: "old" },
    failurePolicy: "FAIL_OPEN",
    workers: 2,
  });
  await expect(envoy.swap(wasm, { percent: 101 })).rejects.toThrow(
    "mark: percent: must be at most 100, at byte 11",
  );
  await expect(envoy.swap(wasm, { traps: true })).rejects.toThrow(/proxy_on_configure failed/);
  await expect(envoy.swap(wasm.subarray(0, 1_000), {})).rejects.toThrow(
    "Failed to parse corrupted Wasm module",
  );
  expect(await ask(envoy)).toBe("200 old");
  expect(await envoy.stats("extension_config_discovery.http_filter.plugin.update_rejected")).toBe(
    3,
  );
  await envoy.swap(wasm, { mark: "new" });
  expect(await ask(envoy)).toBe("200 new");
});

test("swaps under load lose no request, and each worker takes each of them", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    rootId,
    configuration: { mark: "0" },
    workers: 2,
  });
  const SWAPS = 20;
  const CLIENTS = 8;
  let isOver = false;
  const seen = new Set<string>();
  let requests = 0;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!isOver) {
      const shown = await ask(envoy);
      requests += 1;
      seen.add(shown);
    }
  });
  for (let i = 1; i <= SWAPS; i++) {
    await envoy.swap(wasm, { mark: String(i) });
    const before = requests;
    await until(() => requests > before + CLIENTS, "requests between two swaps");
  }
  isOver = true;
  await Promise.all(clients);
  const marks = Array.from({ length: SWAPS + 1 }, (_, i) => `200 ${i}`);
  expect([...seen].filter((shown) => !marks.includes(shown))).toEqual([]);
  expect(seen).toContain(`200 ${SWAPS}`);
});
