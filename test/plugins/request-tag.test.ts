import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildPlugin } from "@weft/sdk/build";
import { expect, test } from "vitest";
import { startPluginEnvoy, until } from "../world/plugin-envoy.ts";

const { wasm } = await buildPlugin(resolve("extensions/request-tag"));

const configuration = {
  rules: [
    { tag: "health", when: { path: "/healthz" } },
    { tag: "export", when: { query: { format: { equals: ["csv", "xlsx"] } } } },
    { tag: "staff", when: { headers: { "x-role": "staff" } } },
  ],
};

const counted = (tag: string, kind: string) =>
  `wasmcustom.request_tag_requests_total.tag=.=${tag};.;class=.=${kind};.;`;

test("requests reach the upstream with their tag, and are counted by what came of them", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration,
    upstream: (request, response) => {
      response.writeHead(request.url === "/healthz" ? 503 : 200);
      response.end(String(request.headers["x-request-tag"]));
    },
  });
  const tag = async (path: string, ...headers: [string, string][]) =>
    (await envoy.fetch(path, { headers })).body;
  expect(await tag("/healthz")).toBe("health");
  expect(await tag("/orders?page=2&format=c%73v", ["x-request-tag", "health"])).toBe("export");
  expect(await tag("/", ["x-role", "staff"])).toBe("staff");
  expect(await tag("/", ["x-role", "guest"], ["x-role", "staff"])).toBe("other");
  await until(async () => (await envoy.stats(counted("other", "2xx"))) === 1, "the last count");
  expect(await envoy.stats(counted("health", "5xx"))).toBe(1);
  expect(await envoy.stats(counted("export", "2xx"))).toBe(1);
  expect(await envoy.stats(counted("health", "2xx"))).toBeUndefined();
});

test("routes can match on the tag, and access logs tell it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weft-tag-"));
  try {
    const direct = (name: string, match: object) => ({
      match: { prefix: "/", ...match },
      direct_response: { status: 200, body: { inline_string: name } },
    });
    const isExport = { headers: [{ name: "x-request-tag", string_match: { exact: "export" } }] };
    const log = {
      name: "envoy.access_loggers.file",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        path: join(folder, "log"),
        log_format: {
          text_format_source: { inline_string: "%FILTER_STATE(wasm.request_tag:PLAIN)%\n" },
        },
      },
    };
    {
      await using envoy = await startPluginEnvoy({
        wasm,
        configuration,
        routes: [direct("exports", isExport), direct("others", {})],
        manager: { access_log: [log] },
      });
      expect((await envoy.fetch("/?format=csv")).body).toBe("exports");
      expect((await envoy.fetch("/", { headers: { "x-request-tag": "export" } })).body).toBe(
        "others",
      );
    }
    // Envoy writes what it has logged when it ends.
    expect(await readFile(join(folder, "log"), "utf8")).toBe("export\nother\n");
  } finally {
    await rm(folder, { recursive: true });
  }
});
