import { globSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildWith } from "../../bench/plugins/other-sdks.ts";
import type { Exchange, ForeignModule } from "./module.ts";
import { copy, crateExample, goModule, goProgram, ownCrate, read, write } from "./workshop.ts";

/** A module and how to get it. */
export interface Source extends ForeignModule {
  readonly build: () => Uint8Array;
}

const own = (folder: string) => join(import.meta.dirname, folder);

const ask = (what: string, rest: Omit<Exchange, "headers"> = {}): Exchange => ({
  headers: [["ask", what]],
  ...rest,
});

/** What our program on each SDK is asked: the same of all, in the order that state needs. */
const TOUR: readonly Exchange[] = [
  {},
  { body: "passes unread" },
  { headers: [...(ask("all").headers ?? []), ["x-b", "1"], ["x-b", "2"]] },
  ask("body", { body: "make me loud" }),
  ask("call", { callout: "yes" }),
  ask("call", { callout: "no" }),
  ask("count"),
  ask("count"),
  ask("property", { path: "/a/b?c=d" }),
  ask("respond"),
  ask("respond", { body: "unread" }),
  ask("respond-empty"),
  ask("rewrite"),
  ask("share"),
  ask("share"),
  { response: { status: 500, headers: [["x-secret", "1"]], body: "" } },
  ask("panic"),
  {},
];

/** What the Rust SDK's examples do, which two crates hold, on two versions of the ABI. */
const RUST_EXAMPLES: Readonly<Record<string, readonly Exchange[]>> = {
  hello_world: [{ waitMs: 5_100 }, {}],
  http_auth_random: [{ callout: "\u0002" }, { callout: "\u0003" }],
  http_headers: [{}, { path: "/hello", headers: [["x-a", "1"]] }, { body: "abc" }],
};

/** Waits for the end of the body, and with the first ABI for ever. */
const BODY: readonly Exchange[] = [{}, { response: { body: "a secret" } }];

function rustExamples(crate: string, version: string, more: Record<string, readonly Exchange[]>) {
  return Object.entries({ ...RUST_EXAMPLES, ...more }).map(
    ([name, exchanges]): Source => ({
      id: `${crate} ${version} ${name}`,
      sdk: `Rust, ${crate} ${version}`,
      author: "package",
      configuration: "configured",
      exchanges,
      build: () => crateExample(crate, version, name),
    }),
  );
}

const CORAZA = "github.com/corazawaf/coraza-proxy-wasm";
const CORAZA_VERSION = "v0.0.0-20260824140537-b1770f5b0be3";
const GO_SDK = "github.com/proxy-wasm/proxy-wasm-go-sdk";
const GO_SDK_VERSION = "v0.0.0-20260105142703-44c7d5847745";
const TINYGO_SDK = "github.com/tetratelabs/proxy-wasm-go-sdk";

/**
 * The web application firewall, moved from the SDK for TinyGo to that for Go: the SDKs' packages
 * have equal names, and a Go module is entered at `init` in place of `main`.
 */
function coraza(): Uint8Array {
  const folder = copy(goModule(CORAZA, CORAZA_VERSION), "coraza");
  for (const path of ["go.work", "mage.go", "init_tinygo.go"]) rmSync(join(folder, path));
  for (const path of globSync("**/*.go", { cwd: folder })) {
    const at = join(folder, path);
    if (path.endsWith("_test.go")) rmSync(at);
    else write(at, read(at).replaceAll(TINYGO_SDK, GO_SDK));
  }
  const manifest = join(folder, "go.mod");
  const required = new RegExp(`${TINYGO_SDK} v[\\d.]+`);
  write(manifest, read(manifest).replace(required, `${GO_SDK} ${GO_SDK_VERSION}`));
  const main = join(folder, "main.go");
  write(main, read(main).replace("func main() {", "func main() {}\n\nfunc init() {"));
  return goProgram(folder, "no_fs_access");
}

const WAF_DIRECTIVES = [
  "SecRuleEngine On",
  "SecRequestBodyAccess On",
  "SecResponseBodyAccess On",
  "SecResponseBodyMimeType text/plain",
  "SecAuditEngine Off",
  'SecRule REQUEST_URI "@streq /admin" "id:101,phase:1,t:lowercase,deny,nolog"',
  'SecRule REQUEST_BODY "@rx mal[i1]cious" "id:102,phase:2,t:lowercase,deny,nolog"',
  'SecRule RESPONSE_HEADERS:x-leak "@streq yes" "id:103,phase:3,deny,nolog"',
  'SecRule RESPONSE_BODY "@contains leak" "id:104,phase:4,deny,nolog"',
];

const FORM = ["content-type", "application/x-www-form-urlencoded"] as const;
const PLAIN = ["content-type", "text/plain"] as const;

const CPP_HOST = "mosn.io/proxy-wasm-go-host";

/** A cookie that decides, and one that does not. */
const CANARY: readonly Exchange[] = [
  {},
  {
    headers: [
      ["x-user", "ann@example.test"],
      ["cookie", "theme=dark; canary=always"],
      ["x-internal", "1"],
    ],
  },
  { path: "/healthz", headers: [["x-internal", "1"]] },
];

export const modules: readonly Source[] = [
  ...rustExamples("proxy-wasm", "0.1.2", { http_body: BODY }),
  ...rustExamples("proxy-wasm-experimental", "0.0.8", { http_body: BODY, http_config: [{}] }),
  {
    id: "proxy-sdk 1.1.0 mini_proxy",
    sdk: "Rust, proxy-sdk 1.1.0",
    author: "package",
    exchanges: [{}, { body: "hello" }, { response: { body: "hello hello" } }],
    build: () => crateExample("proxy-sdk", "1.1.0", "mini_proxy"),
  },
  {
    id: "proxy-wasm 0.2.5 tour",
    sdk: "Rust, proxy-wasm 0.2.5",
    author: "ours",
    configuration: "hello",
    exchanges: TOUR,
    build: () => ownCrate(own("rust"), "tour"),
  },
  {
    id: "proxy-wasm 0.2.5 tour refuses",
    sdk: "Rust, proxy-wasm 0.2.5",
    author: "ours",
    configuration: "refuse",
    exchanges: [{}],
    build: () => ownCrate(own("rust"), "tour"),
  },
  {
    id: "proxy-wasm-go-sdk tour",
    sdk: "Go, proxy-wasm-go-sdk 2026-01-05",
    author: "ours",
    configuration: "hello",
    exchanges: TOUR,
    build: () => goProgram(copy(own("go"), "own/go")),
  },
  {
    id: "proxy-wasm-go-sdk tour refuses",
    sdk: "Go, proxy-wasm-go-sdk 2026-01-05",
    author: "ours",
    configuration: "refuse",
    exchanges: [{}],
    build: () => goProgram(copy(own("go"), "own/go")),
  },
  {
    id: "coraza-proxy-wasm",
    sdk: "Go, proxy-wasm-go-sdk 2026-01-05",
    author: "package",
    configuration: JSON.stringify({
      directives_map: { default: WAF_DIRECTIVES },
      default_directives: "default",
    }),
    exchanges: [
      {},
      { path: "/admin" },
      { body: "name=malicious", headers: [FORM] },
      { body: "name=kind", headers: [FORM] },
      { response: { headers: [PLAIN, ["x-leak", "yes"]] } },
      { response: { headers: [PLAIN], body: "a leak" } },
    ],
    build: coraza,
  },
  {
    id: "proxy-wasm-go-host http.wasm",
    sdk: "C++, proxy-wasm-cpp-sdk, unversioned",
    author: "package",
    exchanges: [{}],
    build: () => readFileSync(join(goModule(CPP_HOST, "v0.2.0"), "example/data/http.wasm")),
  },
  ...(["solo", "gcore"] as const).map(
    (sdk): Source => ({
      id: `${sdk} canary`,
      sdk:
        sdk === "solo"
          ? "AssemblyScript, @solo-io/proxy-runtime 0.1.8"
          : "AssemblyScript, @gcoredev/proxy-wasm-sdk-as 1.2.3",
      author: "ours",
      configuration: "any",
      rootId: "canary",
      exchanges: CANARY,
      build: () => buildWith(sdk, join(import.meta.dirname, "../../bench/plugins", sdk)),
    }),
  ),
  {
    id: "gcore tour",
    sdk: "AssemblyScript, @gcoredev/proxy-wasm-sdk-as 1.2.3",
    author: "ours",
    configuration: "hello",
    exchanges: TOUR,
    build: () => buildWith("gcore", own("gcore")),
  },
];
