import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { ProxyReportSchema } from "@weft/proto/weft/status/v1/proxy_pb.ts";
import { buildPlugin } from "@weft/sdk/build";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { type ControlWorld, startControlWorld } from "./world/control.ts";

const CLI = resolve("services/cli/main.ts");

const COMMANDS = [
  ["apply"],
  ["delete"],
  ["get"],
  ["log"],
  ["show"],
  ["diff"],
  ["rollback"],
  ["ps"],
  ["translate"],
  ["plugin", "dev"],
  ["plugin", "record"],
  ["plugin", "new"],
  ["plugin", "build"],
  ["plugin", "test"],
  ["plugin", "bench"],
  ["plugin", "fuzz"],
  ["plugin", "replay"],
  ["plugin", "inspect"],
  ["plugin", "push"],
  ["plugin", "list"],
  ["token", "create"],
  ["ca", "root"],
  ["explain"],
  ["version"],
] as const;

const SHOP = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: stock }
spec:
  hosts: [stock.example.com]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: 8000, name: http, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.9 }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: stock }
spec:
  hosts: [stock.example.com]
  http:
    - route:
        - destination: { host: stock.example.com }
`;

const MISTAKE = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: stock }
spec:
  hosts: [stock.example.com]
  http:
    - retries: { attempt: 3 }
      route:
        - destination: { host: stock.example.com }
          weight: most
`;

const PROXY = {
  id: "sidecar~127.0.7.1~shop-1.default~default.svc.cluster.local",
  type: "sidecar",
  ip: "127.0.7.1",
  namespace: "default",
  labels: { app: "shop" },
  metadata: { SERVICE_ACCOUNT: "shop", WEFT_HTTP_PROXY_PORT: "15001" },
};

let world: ControlWorld;
let folder: string;

beforeAll(async () => {
  world = await startControlWorld();
  folder = mkdtempSync(join(tmpdir(), "weft-cli-"));
  writeFileSync(join(folder, "shop.yaml"), SHOP);
  writeFileSync(join(folder, "mistake.yaml"), MISTAKE);
  writeFileSync(join(folder, "proxy.json"), JSON.stringify(PROXY));
  mkdirSync(join(folder, "mesh/deep"), { recursive: true });
  copyFileSync(join(folder, "shop.yaml"), join(folder, "mesh/deep/shop.yaml"));
  await apply("shop.yaml");
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await world[Symbol.asyncDispose]();
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function start(args: readonly string[], { env = {} }: RunOptions = {}) {
  const { FORCE_COLOR: _, NO_COLOR: __, ...inherited } = process.env;
  // As weft.mjs starts it: with the compiled code of earlier runs.
  return spawn(process.execPath, [CLI, ...args], {
    cwd: folder,
    env: {
      ...inherited,
      NODE_COMPILE_CACHE: resolve("node_modules/.cache/weft"),
      WEFT_SERVER: world.url,
      WEFT_ACTOR: "ada@desk",
      ...env,
    },
  });
}

/** Runs the command line to its end. */
async function weft(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = start(args, options);
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.on("error", () => {}); // it may end without having read
  child.stdin.end(options.stdin ?? "");
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** Runs what must succeed, and answers its stdout. */
async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await weft(args);
  if (code !== 0) throw new Error(`weft ${args.join(" ")} ended with ${code}:\n${stderr}`);
  return stdout;
}

async function apply(...files: string[]): Promise<string> {
  const name = await ok("apply", ...files.flatMap((file) => ["-f", file]), "-o", "name");
  return name.trim();
}

/** The service entry of shop.yaml with another port: a change that is always one. */
let port = 8000;
function changed(): string {
  port++;
  const path = join(folder, "changed.yaml");
  writeFileSync(path, SHOP.replaceAll("8000", String(port)));
  return "changed.yaml";
}

function lines(text: string): string[] {
  return text.trimEnd().split("\n");
}

test("a bad file is refused at its places, and nothing changes", async () => {
  const before = await ok("log", "--limit", "1", "-o", "name");
  const { code, stdout, stderr } = await weft(["apply", "-f", "mistake.yaml"]);
  expect({ code, stdout }).toEqual({ code: 65, stdout: "" });
  expect(stderr).toMatchInlineSnapshot(`
    "error[WEFT0105]: spec.http[0].retries has no field attempt
      --> mistake.yaml:7:18  VirtualService default/stock
        7 |     - retries: { attempt: 3 }
          |                  ^^^^^^^
      help: did you mean \`attempts\`?
    error[WEFT0106]: spec.http[0].route[0].weight is "most", not a whole number
      --> mistake.yaml:10:19  VirtualService default/stock
       10 |           weight: most
          |                   ^^^^
      help: write a value that the field can have
    error[WEFT0603]: 2 errors in mistake.yaml; nothing was changed
    "
  `);
  expect(await ok("log", "--limit", "1", "-o", "name")).toBe(before);
});

test("apply prints the changes, the revision, and how to take it back", async () => {
  const { stdout, stderr } = await weft(["apply", "-f", changed(), "-m", "move the port"]);
  const revision = /^r\d+/m.exec(stdout)?.[0] ?? "";
  expect(stdout.replaceAll(revision, "rN")).toMatchInlineSnapshot(`
    "~ ServiceEntry default/stock
    = VirtualService default/stock
    rN: 1 change
    "
  `);
  expect(stderr).toBe(`undo: weft rollback ${revision}\n`);
});

test("apply in every form says the same", async () => {
  const json = JSON.parse(await ok("apply", "-f", changed(), "-o", "json"));
  const yaml = parse(await ok("apply", "-f", "changed.yaml", "-o", "yaml"));
  const name = await ok("apply", "-f", "changed.yaml", "-o", "name");
  expect(json.changes.map((each: { operation: string }) => each.operation)).toEqual([
    "OPERATION_UPDATE",
    "OPERATION_UNCHANGED",
  ]);
  expect([`r${json.revision}\n`, `r${yaml.revision}\n`]).toEqual([name, name]);
});

test("apply reads folders with all below them, and stdin", async () => {
  await apply("shop.yaml");
  const unchanged = "= ServiceEntry default/stock\n= VirtualService default/stock\n";
  const fromFolder = await ok("apply", "-f", "mesh");
  const { stdout } = await weft(["apply", "-f", "-"], { stdin: SHOP });
  expect([fromFolder, stdout].map((text) => text.replace(/^r.*\n/m, ""))).toEqual([
    unchanged,
    unchanged,
  ]);
});

test("a command that is repeated with its id is done once", async () => {
  const args = ["apply", "-f", changed(), "--command-id", "retry-1", "-o", "json"];
  const first = await ok(...args);
  await apply(changed());
  writeFileSync(join(folder, "changed.yaml"), SHOP.replaceAll("8000", String(port - 1)));
  expect(JSON.parse(await ok(...args)).revision).toBe(JSON.parse(first).revision);
});

test("a dry run writes nothing", async () => {
  const before = await ok("log", "--limit", "1", "-o", "name");
  const said = await ok("apply", "-f", changed(), "--dry-run");
  expect(lines(said).at(-1)).toBe(`dry run on ${before.trim()}: 1 change, nothing was written`);
  expect(await ok("log", "--limit", "1", "-o", "name")).toBe(before);
});

test("get in every form", async () => {
  const table = await ok("get", "vs");
  expect(lines(table).map((line) => line.split(/\s+/).slice(0, 3))).toEqual([
    ["KIND", "NAMESPACE", "NAME"],
    ["VirtualService", "default", "stock"],
  ]);
  expect(lines(await ok("get", "all", "-o", "wide"))[0]).toMatch(/FROM$/);
  expect(await ok("get", "all", "-o", "name")).toBe("ServiceEntry/stock\nVirtualService/stock\n");
  const { resources } = JSON.parse(await ok("get", "all", "-o", "json"));
  const jsonl = lines(await ok("get", "all", "-o", "jsonl")).map((line) => JSON.parse(line));
  const yaml = parseAllDocuments(await ok("get", "all", "-o", "yaml")).map((each) => each.toJS());
  expect(jsonl).toEqual(resources);
  expect(yaml).toEqual(resources.map(({ manifest }: { manifest: unknown }) => manifest));
  const { resource } = JSON.parse(await ok("get", "VirtualService", "stock", "-o", "json"));
  expect(resource).toEqual(resources[1]);
});

test("what get prints as YAML can be applied, and changes nothing", async () => {
  const stdin = await ok("get", "all", "-o", "yaml");
  const { stdout } = await weft(["apply", "-f", "-"], { stdin });
  expect(stdout).toContain("nothing to change");
});

test("get shows the mesh as it was at any revision", async () => {
  const before = await ok("log", "--limit", "1", "-o", "name");
  const then = await ok("get", "se", "-o", "yaml");
  await apply(changed());
  expect(await ok("get", "se", "-o", "yaml", "--at", before.trim())).toBe(then);
  expect(await ok("get", "se", "-o", "yaml")).not.toBe(then);
});

test("log in every form", async () => {
  const revision = await apply(changed());
  await ok("rollback", revision, "-m", "enough");
  const [titles, newest] = lines(await ok("log", "--limit", "2"));
  expect(titles).toMatch(/^REV +WHEN +WHO +VIA +WHAT +WHY$/);
  expect(newest).toContain(`takes back ${revision}: ~ServiceEntry default/stock`);
  expect(newest).toMatch(/ada@desk +cli .* enough$/);
  expect(lines(await ok("log", "-o", "wide"))[0]).toMatch(/HOW KNOWN/);
  const { commits } = JSON.parse(await ok("log", "--limit", "2", "-o", "json"));
  const jsonl = lines(await ok("log", "--limit", "2", "-o", "jsonl")).map((each) =>
    JSON.parse(each),
  );
  expect(jsonl).toEqual(commits);
  expect(parse(await ok("log", "--limit", "2", "-o", "yaml"))).toEqual({ commits });
  expect(lines(await ok("log", "--before", revision, "--limit", "1", "-o", "name"))).toEqual([
    `r${Number(revision.slice(1)) - 1}`,
  ]);
  expect(lines(await ok("log", "vs/stock", "-o", "name"))).toEqual(["r2"]);
});

test("show and diff print what changed as a unified diff", async () => {
  await apply("shop.yaml");
  const revision = await apply(changed());
  const before = `r${Number(revision.slice(1)) - 1}`;
  const shown = await ok("show", revision);
  const differs = await ok("diff", before, revision);
  expect(shown.endsWith(differs)).toBe(true);
  expect(
    differs.replaceAll(revision, "rN").replaceAll(before, "rM").replaceAll(String(port), "PORT"),
  ).toMatchInlineSnapshot(`
    "~ ServiceEntry default/stock
    --- rM/ServiceEntry/default/stock
    +++ rN/ServiceEntry/default/stock
    @@ -7,7 +7,7 @@
       hosts:
         - stock.example.com
       ports:
    -    - number: 8000
    +    - number: PORT
           protocol: HTTP
           name: http
       location: MESH_INTERNAL

    "
  `);
  const json = JSON.parse(await ok("diff", before, revision, "-o", "json"));
  expect(JSON.parse(await ok("show", revision, "-o", "json")).changes).toEqual(json.changes);
  expect(parse(await ok("diff", before, revision, "-o", "yaml"))).toEqual(json);
  expect(parse(await ok("show", revision, "-o", "yaml")).changes).toEqual(json.changes);
});

test("diff --exit-code answers with its exit code", async () => {
  const revision = await apply(changed());
  const before = `r${Number(revision.slice(1)) - 1}`;
  const differs = await weft(["diff", before, revision, "--exit-code"]);
  const same = await weft(["diff", revision, revision, "--exit-code"]);
  expect([differs.code, same.code, same.stdout]).toEqual([1, 0, ""]);
});

test("rollback and delete in every form", async () => {
  const revision = await apply(changed());
  expect(await ok("rollback", revision, "--dry-run")).toMatch(
    /^~ ServiceEntry default\/stock\ndry run on r\d+: 1 change, nothing was written\n$/,
  );
  const json = JSON.parse(await ok("rollback", revision, "-o", "json"));
  const restored = parse(await ok("rollback", revision, "--restore", "-o", "yaml"));
  expect(Number(restored.revision)).toBe(Number(json.revision) + 1);
  expect(await ok("delete", "vs", "stock")).toMatch(
    /^- VirtualService default\/stock\nr\d+: 1 change\n$/,
  );
  const name = await ok("delete", "-f", "shop.yaml", "--dry-run", "-o", "name").catch(String);
  expect(name).toContain("has no VirtualService default/stock");
  expect(JSON.parse(await ok("delete", "se", "stock", "-o", "json")).changes).toHaveLength(1);
  await apply("shop.yaml");
});

test("delete and rollback warn of what stays and refers to what goes", async () => {
  await apply("shop.yaml");
  const broken = "warning[WEFT0124]: no service answers to host stock.example.com";
  const place = "  --> shop.yaml:11:1  VirtualService default/stock";
  const removed = await weft(["delete", "se", "stock", "--dry-run"]);
  expect([removed.code, removed.stderr.split("\n").slice(0, 2)]).toEqual([0, [broken, place]]);
  // The service goes and comes back before its route: to undo its return is to break the route.
  await ok("delete", "-f", "shop.yaml");
  writeFileSync(join(folder, "service.yaml"), SHOP.slice(0, SHOP.indexOf("---")));
  const revision = await apply("service.yaml");
  await apply("shop.yaml");
  const undone = await weft(["rollback", revision, "--dry-run"]);
  expect([undone.code, undone.stderr.split("\n").slice(0, 2)]).toEqual([0, [broken, place]]);
});

test("ps shows what replicas report", async () => {
  const proxies = [
    {
      id: PROXY.id,
      replica: "a",
      state: "NACKED",
      ackedRevision: 3n,
      envoyVersion: "1.40.0",
      spiffeId: "spiffe://cluster.local/ns/default/sa/shop",
      types: [{ type: "LDS", resources: 2, nack: "no such filter", acks: 1n, nacks: 1n }],
    },
  ];
  const report = toBinary(
    ProxyReportSchema,
    create(ProxyReportSchema, { replica: "a", revision: 3n, proxies }),
  );
  // As a replica does, so that the report does not grow old while the commands run.
  const tell = setInterval(() => world.nats.publish(`weft.${world.mesh}.hb.a`, report), 200);
  onTestFinished(() => clearInterval(tell));
  world.nats.publish(`weft.${world.mesh}.hb.a`, report);
  await world.nats.flush();
  expect(await ok("ps")).toMatchInlineSnapshot(`
    "NAME            TYPE     REV  STATE   AGE  ENVOY   IDENTITY                                   NACK
    shop-1.default  sidecar  r3   NACKED  -    1.40.0  spiffe://cluster.local/ns/default/sa/shop  LDS: no such filter
    "
  `);
  expect(await ok("ps", "shop-1")).toContain("no such filter");
  expect(lines(await ok("ps", "-o", "wide"))[0]).toMatch(/CDS +EDS +LDS +RDS +ECDS/);
  const json = JSON.parse(await ok("ps", "-o", "json"));
  expect(lines(await ok("ps", "-o", "jsonl")).map((each) => JSON.parse(each))).toEqual(
    json.proxies,
  );
  expect(parse(await ok("ps", "-o", "yaml")).proxies).toEqual(json.proxies);
  expect(await ok("ps", "-o", "name")).toBe("shop-1.default\n");
  const ghost = await weft(["ps", "ghost"]);
  expect([ghost.code, lines(ghost.stderr)[0]]).toEqual([
    66,
    "error[WEFT0617]: no proxy ghost is connected",
  ]);
});

test("token create prints the token and nothing else on stdout", async () => {
  const { stdout, stderr } = await weft(["token", "create", "--service-account", "shop"]);
  expect(stdout).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
  expect(stderr).toMatch(/^works once, for default\/shop, until \d{4}-/);
  const args = ["token", "create", "--service-account", "shop", "--ttl", "10m", "-o"];
  expect(await ok(...args, "name")).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
  expect(Object.keys(JSON.parse(await ok(...args, "json")))).toEqual(["token", "expiresAt"]);
  expect(Object.keys(parse(await ok(...args, "yaml")))).toEqual(["token", "expiresAt"]);
});

test("plugin push publishes a module, and plugin list shows it", async () => {
  const { wasm } = await buildPlugin(resolve("extensions/header-stamp"));
  writeFileSync(join(folder, "stamp.wasm"), wasm);
  const pushed = JSON.parse(
    await ok("plugin", "push", "stamp.wasm", "--version", "1.2.0", "-o", "json"),
  );
  expect(await ok("plugin", "push", "stamp.wasm", "-o", "name")).toBe("weft://stamp\n");
  expect(parse(await ok("plugin", "push", "stamp.wasm", "-o", "yaml"))).toEqual({
    ...pushed,
    unchanged: true,
  });
  const [, row] = lines(await ok("plugin", "list"));
  expect(row?.split(/\s+/).slice(0, 3)).toEqual(["stamp", "1.2.0", pushed.digest.slice(0, 12)]);
  expect(await ok("plugin", "list", "-o", "wide")).toContain(pushed.digest);
  const { plugins } = JSON.parse(await ok("plugin", "list", "-o", "json"));
  expect(JSON.parse(await ok("plugin", "list", "-o", "jsonl"))).toEqual(plugins[0]);
  expect(parse(await ok("plugin", "list", "-o", "yaml"))).toEqual({ plugins });
  expect(await ok("plugin", "list", "-o", "name")).toBe("stamp\n");
  const bad = await weft(["plugin", "push", "shop.yaml", "--name", "shop"]);
  expect([bad.code, bad.stderr]).toMatchInlineSnapshot(`
    [
      65,
      "error[WEFT0401]: not a WebAssembly module: it does not begin with \\0asm at byte 0: give the compiled core module, not its text, an archive or a component
      help: build the module with \`weft plugin build\`
    ",
    ]
  `);
});

test("translate needs no control plane", async () => {
  const args = ["translate", "-f", "shop.yaml", "--proxy", "proxy.json"];
  const { code, stdout } = await weft(args, { env: { WEFT_SERVER: "http://127.0.0.1:1" } });
  const json = JSON.parse(stdout);
  expect([code, Object.keys(json)]).toEqual([0, ["listeners", "routes", "clusters", "endpoints"]]);
  const names = json.clusters.map(({ name }: { name: string }) => name);
  expect(names).toContain("outbound|8000||stock.example.com");
  expect(parse(await ok(...args, "-o", "yaml"))).toEqual(json);
  const bad = await weft(["translate", "-f", "mistake.yaml", "--proxy", "proxy.json"]);
  expect([bad.code, bad.stdout]).toEqual([65, ""]);
  expect(bad.stderr).toContain("--> mistake.yaml:7:18  VirtualService default/stock\n");
  const noProxy = await weft(["translate", "-f", "shop.yaml", "--proxy", "shop.yaml"]);
  expect([noProxy.code, lines(noProxy.stderr)[0]]).toEqual([
    65,
    expect.stringContaining("error[WEFT0303]: shop.yaml is not JSON"),
  ]);
  writeFileSync(join(folder, "slip.json"), JSON.stringify({ ...PROXY, lables: {} }));
  const slip = await weft(["translate", "-f", "shop.yaml", "--proxy", "slip.json"]);
  expect(lines(slip.stderr)[0]).toContain("slip.json: lables is none of id, type, ip,");
});

test("explain and version in every form", async () => {
  expect(await ok("explain", "WEFT0603")).toMatchInlineSnapshot(`
    "WEFT0603  control.refused
      help: mend the places named above; nothing was changed
      exit: 65
    "
  `);
  const json = JSON.parse(await ok("explain", "control.refused", "-o", "json"));
  expect(parse(await ok("explain", "weft0603", "-o", "yaml"))).toEqual(json);
  expect(await ok("explain", "kinds")).toContain("networking.istio.io/v1");
  const untranslated = await ok("explain", "manifest.untranslated", "-o", "json");
  expect(JSON.parse(untranslated)).toMatchObject({ exit: 0 });
  const codes = JSON.parse(await ok("explain", "codes", "-o", "json"));
  expect(new Set(codes.map(({ number }: { number: string }) => number)).size).toBe(codes.length);
  const { version } = JSON.parse(await ok("version", "-o", "json"));
  expect(await ok("--version")).toBe(`${version}\n`);
  expect(await ok("version", "-o", "name")).toBe(`${version}\n`);
  expect(parse(await ok("version", "-o", "yaml")).version).toBe(version);
  expect(await ok("version")).toContain(`weft ${version}`);
});

test("every command has a page with its exit codes and examples", async () => {
  for (const command of COMMANDS) {
    const page = await ok(...command, "--help");
    expect(page).toContain(`Usage: weft ${command.join(" ")} [options]`);
    expect(page).toMatch(
      /\n\nEXIT CODES\n {4}0 {2}[\s\S]*\n {2}130 {2}interrupted\n\nEXAMPLES\n {2}\S/,
    );
  }
  const help = await ok("--help");
  for (const [name] of COMMANDS) expect(help).toMatch(new RegExp(`^  ${name} `, "m"));
});

test.for([
  [64, ["bogus"], "error[WEFT0610]: unknown command 'bogus'"],
  [64, ["aply"], "error[WEFT0610]: unknown command 'aply'"],
  [64, ["apply"], "error[WEFT0610]: required option '-f, --filename <path...>' not specified"],
  [
    64,
    ["get", "vs", "-o", "toml"],
    "error[WEFT0610]: option '-o, --output <form>' argument 'toml'",
  ],
  [64, ["show", "twelve"], "error[WEFT0610]: command-argument value 'twelve' is invalid"],
  [64, ["get", "sheep"], "error[WEFT0610]: there is no kind sheep"],
  [64, ["delete", "vs"], "error[WEFT0610]: give either KIND NAME or -f FILE"],
  [64, ["ps", "--server", "ftp://x"], "error[WEFT0610]: --server ftp://x is no http or https URL"],
  [
    64,
    ["agent", "--name", "shop-1", "--ip", "here"],
    "error[WEFT0610]: option '--ip <address>' argument 'here' is invalid",
  ],
  [65, ["apply", "-f", "proxy.json"], "error[WEFT"],
  [66, ["apply", "-f", "ghost.yaml"], "error[WEFT0611]: ghost.yaml does not exist"],
  [66, ["get", "vs", "ghost"], "error[WEFT0120]: mesh"],
  [66, ["show", "r9999"], "error[WEFT0121]: there is no revision r9999"],
  [66, ["ca", "root"], "error[WEFT0505]: the mesh has no root yet"],
  [
    66,
    ["agent", "--name", "a", "--ip", "127.0.0.1", "--join-token-file", "nowhere"],
    "error[WEFT0611]: nowhere does not exist",
  ],
  [66, ["explain", "WEFT9999"], "error[WEFT0614]: there is no code WEFT9999"],
  [1, ["apply", "-f", "shop.yaml", "--expect-base", "r1"], "error[WEFT0602]: the head is r"],
  [
    69,
    ["ps", "--server", "http://127.0.0.1:1"],
    "error[WEFT0612]: the control plane does not answer",
  ],
] as const)("exit %s for weft %j", async ([exit, args, message]) => {
  const { code, stdout, stderr } = await weft(args);
  expect({ code, stdout }).toEqual({ code: exit, stdout: "" });
  expect(stderr.slice(0, message.length)).toBe(message);
});

test("who is not permitted ends with 77", async () => {
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, "correct-horse-battery\n");
  const { address } = await world.startReplica({ tokenFile });
  const server = ["--server", `http://${address}`];
  const without = await weft(["ps", ...server]);
  expect([without.code, lines(without.stderr)[0]]).toEqual([
    77,
    "error[WEFT0604]: the request has no token",
  ]);
  expect((await weft(["ps", ...server, "--token-file", tokenFile])).code).toBe(0);
});

test("a control plane that is stopped while it starts leaves no nats-server", async () => {
  const data = join(folder, "called-off");
  const doors = ["--api", "--xds", "--xds-plain", "--monitor"].flatMap((flag) => [
    flag,
    "127.0.0.1:0",
  ]);
  const child = start(["up", "--data", data, ...doors]);
  const pidFile = join(data, "nats", "nats-server.pid");
  const deadline = performance.now() + 10_000;
  while (!existsSync(pidFile) && performance.now() < deadline) await sleep(5);
  const [pid] = readFileSync(pidFile, "utf8").split(" ");
  const ended = once(child, "close");
  child.kill("SIGTERM");
  await ended;
  expect(() => process.kill(Number(pid), 0)).toThrow("ESRCH");
});

test("out of time is 75, interrupted is 130", async () => {
  const silent = createServer(() => {});
  onTestFinished(() => void silent.close());
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const { code, stderr } = await weft(["ps", "--server", url, "--timeout", "0.2"]);
  expect([code, lines(stderr)[0]]).toEqual([75, "error[WEFT0613]: no answer in time"]);
  const child = start(["ps", "--server", url]);
  const ended = once(child, "close");
  await once(silent, "connection");
  child.kill("SIGINT");
  expect((await ended)[0]).toBe(130);
});

test("colours are for terminals, and for who asks for them", async () => {
  const args = ["apply", "-f", "mistake.yaml"];
  const sequence = "\u001b[";
  const plain = await weft(args);
  const forced = await weft(args, { env: { FORCE_COLOR: "1" } });
  const refused = await weft([...args, "--no-color"], { env: { FORCE_COLOR: "1" } });
  expect([plain, forced, refused].map(({ stderr }) => stderr.includes(sequence))).toEqual([
    false,
    true,
    false,
  ]);
});
