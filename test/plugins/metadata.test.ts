import { resolve } from "node:path";
import { buildPlugin } from "@weft/sdk/build";
import { createHost } from "@weft/sdk/host";
import { expect, test } from "vitest";
import { startPluginEnvoy } from "../world/plugin-envoy.ts";

const { wasm } = await buildPlugin(resolve("extensions/sdk/probe/metadata"));

const payload = {
  sub: "ann",
  exp: 1_900_000_000.5,
  admin: true,
  guest: false,
  roles: ["admin", "ops"],
  address: { city: "Oslo" },
  empty: "",
};

/** What the plugin finds of a claim set that another filter has left, in order of its questions. */
const FOUND = `sub ann
exp 1900000000.5
admin true false
roles admin;ops;
role 1 ops
address city;
city Oslo
missing -1.0 null
empty nothing
route gold
`;

test("metadata and filter state in a real Envoy are what plugins read", async () => {
  const setMetadata = {
    name: "set-metadata",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config",
      metadata: [{ metadata_namespace: "jwt", value: { payload } }],
    },
  };
  const route = {
    match: { prefix: "/" },
    metadata: { filter_metadata: { jwt: { tier: "gold" } } },
    route: { cluster: "upstream" },
  };
  await using envoy = await startPluginEnvoy({
    wasm,
    otherFilters: { before: [setMetadata] },
    routes: [route],
  });
  const { body } = await envoy.fetch("/");
  const state = "cluster null\nset true true false\nown blue\nknown green\n";
  expect(body.split("\n")).toEqual((FOUND + state).split("\n"));
});

test("metadata in the SDK's host are as in Envoy", () => {
  const host = createHost(wasm, {
    properties: {
      metadata: { filter_metadata: { jwt: { payload } } },
      xds: { route_metadata: { filter_metadata: { jwt: { tier: "gold" } } } },
    },
  });
  const stream = host.openStream(host.start("") ?? 0);
  stream.requestHeaders([[":path", "/"]]);
  expect(Buffer.from(stream.localResponse?.body ?? "").toString()).toContain(FOUND);
});
