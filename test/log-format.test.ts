import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readManifests } from "@weft/core/mesh";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installTools } from "../infra/tools.ts";
import { LOG_OPERATORS } from "../services/core/mesh/log-format.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-log-format-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A validation takes 0.1 s; a machine under load may need more. */
const VALIDATE_TIMEOUT_MS = 30_000;

/** Parameters of operators that do not take every text. */
const PARAMETERS: Readonly<Record<string, string>> = {
  COALESCE: '{"operators":["PROTOCOL"]}',
  COMMON_DURATION: "DS_RX_BEG:DS_RX_END:ms",
  GRPC_STATUS: "NUMBER",
  METADATA: "ROUTE:a",
  PATH: "WQ",
  QUERY_PARAMS: "ORIG",
  REQUESTED_SERVER_NAME: "SNI_ONLY",
};

const every = [...LOG_OPERATORS].map(([name, { parameters, length }]) => {
  const taken = parameters === "none" ? "" : `(${PARAMETERS[name] ?? "a"})`;
  return `%${name}${taken}${length ? ":3" : ""}%`;
});

const bare = [...LOG_OPERATORS].flatMap(([name, { parameters }]) => {
  return parameters === "required" ? [] : [`%${name}%`];
});

type Format = string | { readonly [key: string]: unknown };

const nested = (depth: number, format: string): Format =>
  depth === 1 ? { a: format } : { a: nested(depth - 1, format) };

const taken: readonly (readonly [name: string, format: Format])[] = [
  [
    "every operator that is listed",
    [...every, ...bare, "100%%", "%PROTOCOL%%DURATION%", "%START_TIME(%3f(x))%"].join(" "),
  ],
  [
    "an object of them",
    { all: every, "%BOGUS%": "%PROTOCOL%", more: [1, true, { bare: bare.join("") }] },
  ],
  ["an object as deep as it may be", nested(16, "%PROTOCOL%")],
];

test.each(taken)("Envoy and an apply take %s", async (_name, format) => {
  expect([isApplied(format), await isValid(format)]).toEqual([true, true]);
});

const refused: readonly Format[] = [
  "%BOGUS%",
  "%REQ(",
  "%REQ(A):x%",
  "%REQ%",
  "%PROTOCOL(x)%",
  "%PROTOCOL:3%",
  "%START_TIME:3%",
  "100% of it",
  { a: [{ b: "%BOGUS%" }] },
];

test.each(refused.map((format) => [format]))("Envoy and an apply refuse %j", async (format) => {
  expect([isApplied(format), await isValid(format)]).toEqual([false, false]);
});

function isApplied(format: Format): boolean {
  const isText = typeof format === "string";
  const manifest = {
    apiVersion: "mesh.istio.io/v1alpha1",
    kind: "MeshConfig",
    spec: {
      accessLogEncoding: isText ? "TEXT" : "JSON",
      accessLogFormat: isText ? format : JSON.stringify(format),
    },
  };
  const documents = [{ path: "mesh.json", text: JSON.stringify(manifest) }];
  return readManifests(documents, { namespace: "default" }).findings.length === 0;
}

async function isValid(format: Format): Promise<boolean> {
  const path = join(folder, "bootstrap.json");
  writeFileSync(path, JSON.stringify(bootstrapOf(format)));
  const args = ["--mode", "validate", "-c", path, "-l", "off"];
  const child = spawn(installTools().envoy, args, {
    stdio: "ignore",
    timeout: VALIDATE_TIMEOUT_MS,
  });
  const [code, killedBy] = await once(child, "exit");
  expect(killedBy).toBe(null);
  return code === 0;
}

function bootstrapOf(format: Format) {
  const logFormat =
    typeof format === "string"
      ? { textFormatSource: { inlineString: format } }
      : { jsonFormat: format };
  const type = "type.googleapis.com/envoy.extensions";
  return {
    staticResources: {
      listeners: [
        {
          name: "listener",
          address: { socketAddress: { address: "127.0.0.1", portValue: 0 } },
          accessLog: [
            {
              name: "envoy.access_loggers.file",
              typedConfig: {
                "@type": `${type}.access_loggers.file.v3.FileAccessLog`,
                path: "/dev/null",
                logFormat,
              },
            },
          ],
          filterChains: [
            {
              filters: [
                {
                  name: "envoy.filters.network.tcp_proxy",
                  typedConfig: {
                    "@type": `${type}.filters.network.tcp_proxy.v3.TcpProxy`,
                    statPrefix: "tcp",
                    cluster: "nowhere",
                  },
                },
              ],
            },
          ],
        },
      ],
    },
  };
}
