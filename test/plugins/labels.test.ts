import { globSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { silentLogger } from "@weft/core/runtime";
import { buildPlugin } from "@weft/sdk/build";
import { expect, test } from "vitest";
import { installTools } from "../../infra/tools.ts";
import { endEnvoy, launchEnvoy } from "../../services/agent/envoy-process.ts";
import { STATS_TAGS } from "../../services/agent/stats-tags.ts";

test("Envoy is told of every label that a plugin of the catalog has", () => {
  const labels = globSync("extensions/*/assembly/*.ts").flatMap((path) => {
    if (path.startsWith("extensions/sdk/")) return [];
    const declared = readFileSync(path, "utf8").matchAll(/\w+With\("\w+", \[(.*?)\]/g);
    return [...declared].flatMap(([, names = ""]) => names.match(/\w+/g) ?? []);
  });
  const known = new Set(STATS_TAGS.map(({ tagName }) => tagName));
  expect(labels).toContain("decision");
  expect([...new Set(labels)].filter((label) => !known.has(label))).toEqual([]);
});

const any = (type: string, value: object) => ({
  "@type": `type.googleapis.com/envoy.extensions.${type}`,
  ...value,
});

const loopback = { socketAddress: { address: "127.0.0.1", portValue: 0 } };

test("Prometheus gets the labels of a plugin's metrics", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weft-labels-"));
  const { wasm } = await buildPlugin(resolve("extensions/ip-allow"));
  const plugin = any("filters.http.wasm.v3.Wasm", {
    config: {
      configuration: {
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        value: JSON.stringify({ allow: ["127.0.0.1"] }),
      },
      vmConfig: {
        runtime: "envoy.wasm.runtime.v8",
        code: { local: { inlineBytes: Buffer.from(wasm).toString("base64") } },
      },
    },
  });
  const manager = any("filters.network.http_connection_manager.v3.HttpConnectionManager", {
    statPrefix: "page",
    routeConfig: {
      virtualHosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, directResponse: { status: 200 } }],
        },
      ],
    },
    httpFilters: [
      { name: "plugin", typedConfig: plugin },
      { name: "router", typedConfig: any("filters.http.router.v3.Router", {}) },
    ],
  });
  const filters = [{ name: "http", typedConfig: manager }];
  const envoy = await launchEnvoy({
    program: installTools().envoy,
    folder,
    bootstrap: JSON.stringify({
      admin: { address: loopback },
      statsConfig: {
        useAllDefaultTags: false,
        statsTags: STATS_TAGS.map(({ tagName, tagValue }) => ({ tagName, regex: tagValue.value })),
      },
      staticResources: {
        listeners: [{ name: "page", address: loopback, filterChains: [{ filters }] }],
      },
    }),
    concurrency: 1,
    drainSeconds: 1,
    log: silentLogger,
  });
  try {
    const listeners = await (await fetch(`${envoy.adminUrl}/listeners`)).text();
    await fetch(`http://${/page::(\S+)/.exec(listeners)?.[1]}/`);
    const metrics = await (await fetch(`${envoy.adminUrl}/stats/prometheus`)).text();
    expect(metrics).toContain('\nip_allow_requests_total{decision="allow",reason="allow"} 1\n');
  } finally {
    await endEnvoy(envoy);
    await rm(folder, { recursive: true });
  }
});
