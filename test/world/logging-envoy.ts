// A program that starts an Envoy which logs requests to /dev/stdout, makes one request and ends:
// `node logging-envoy.ts FOLDER`.

import { silentLogger } from "@weft/core/runtime";
import { installTools } from "../../infra/tools.ts";
import { endEnvoy, launchEnvoy } from "../../services/agent/envoy-process.ts";

const [folder = ""] = process.argv.slice(2);

const any = (type: string, value: object) => ({
  "@type": `type.googleapis.com/envoy.extensions.${type}`,
  ...value,
});

const accessLog = {
  name: "envoy.access_loggers.file",
  typedConfig: any("access_loggers.file.v3.FileAccessLog", {
    path: "/dev/stdout",
    logFormat: { textFormatSource: { inlineString: "asked for %REQ(:PATH)%\n" } },
  }),
};

const page = { match: { prefix: "/" }, directResponse: { status: 200 } };

const listener = {
  name: "page",
  address: { socketAddress: { address: "127.0.0.1", portValue: 0 } },
  filterChains: [
    {
      filters: [
        {
          name: "http",
          typedConfig: any("filters.network.http_connection_manager.v3.HttpConnectionManager", {
            statPrefix: "page",
            accessLog: [accessLog],
            routeConfig: { virtualHosts: [{ name: "all", domains: ["*"], routes: [page] }] },
            httpFilters: [
              { name: "router", typedConfig: any("filters.http.router.v3.Router", {}) },
            ],
          }),
        },
      ],
    },
  ],
};

const envoy = await launchEnvoy({
  program: installTools().envoy,
  folder,
  bootstrap: JSON.stringify({
    admin: { address: { socketAddress: { address: "127.0.0.1", portValue: 0 } } },
    staticResources: { listeners: [listener] },
  }),
  concurrency: 1,
  drainSeconds: 1,
  log: silentLogger,
});
const listeners = await (await fetch(`${envoy.adminUrl}/listeners`)).text();
await fetch(`http://${/page::(\S+)/.exec(listeners)?.[1]}/hello`);
// Envoy writes what it has logged every ten seconds, and when it ends.
await endEnvoy(envoy);
