import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installTools } from "../../infra/tools.ts";
import { NODE } from "./client.ts";
import { until } from "./server.ts";

/** A real Envoy that takes all its configuration over ADS. */
export interface Envoy extends AsyncDisposable {
  /** A page of its admin interface. */
  admin(path: string): Promise<string>;
  /** One of its stats; undefined while it has none of that name. */
  stat(name: string): Promise<number | undefined>;
  /** The port that a listener was given. */
  port(listener: string): Promise<number>;
}

/** How long Envoy may take to end before it is killed. */
const END_MS_MAX = 3_000;

export async function startEnvoy(options: {
  readonly xdsPort: number;
  readonly apiType: "DELTA_GRPC" | "GRPC";
}): Promise<Envoy> {
  const folder = mkdtempSync(join(tmpdir(), "weft-envoy-"));
  const [config, address] = [join(folder, "bootstrap.json"), join(folder, "admin")];
  writeFileSync(config, JSON.stringify(bootstrap(options)));
  const args = ["-c", config, "--admin-address-path", address, "--use-dynamic-base-id"];
  const quiet = ["--concurrency", "1", "--drain-time-s", "1", "-l", "off"];
  const child = spawn(installTools().envoy, [...args, ...quiet], { stdio: "ignore" });
  const admin = async (path: string): Promise<string> => {
    const response = await fetch(`http://${readFileSync(address, "utf8")}${path}`);
    return await response.text();
  };
  const envoy: Envoy = {
    admin,
    async stat(name) {
      const lines = (await admin(`/stats?filter=${encodeURIComponent(`^${name}$`)}`)).split("\n");
      const value = lines[0]?.split(": ")[1];
      return value === undefined ? undefined : Number(value);
    },
    async port(listener) {
      const text = await admin("/listeners?format=json");
      const { listener_statuses: listeners = [] } = JSON.parse(text) as ListenerPage;
      const found = listeners.find(({ name }) => name === listener);
      if (found === undefined) throw new Error(`Envoy has no listener ${listener}: ${text}`);
      return found.local_address.socket_address.port_value;
    },
    async [Symbol.asyncDispose]() {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await until(() => isThere(address), "Envoy's admin interface");
  return envoy;
}

interface ListenerPage {
  readonly listener_statuses?: readonly {
    readonly name: string;
    readonly local_address: { readonly socket_address: { readonly port_value: number } };
  }[];
}

function isThere(path: string): boolean {
  try {
    return readFileSync(path, "utf8") !== "";
  } catch {
    return false; // not written yet
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((done) => child.once("exit", done));
  const late = setTimeout(() => child.kill("SIGKILL"), END_MS_MAX);
  child.kill("SIGTERM");
  await exited;
  clearTimeout(late);
}

/** As the agent writes it, but for names. */
function bootstrap({ xdsPort, apiType }: { readonly xdsPort: number; readonly apiType: string }) {
  const ads = { ads: {}, resource_api_version: "V3" };
  const endpoint = { address: { socket_address: { address: "127.0.0.1", port_value: xdsPort } } };
  return {
    node: { ...NODE, cluster: "test" },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    dynamic_resources: {
      ads_config: {
        api_type: apiType,
        transport_api_version: "V3",
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: "xds" } }],
      },
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: {
      clusters: [
        {
          name: "xds",
          type: "STATIC",
          connect_timeout: "1s",
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: "xds",
            endpoints: [{ lb_endpoints: [{ endpoint }] }],
          },
        },
      ],
    },
  };
}
