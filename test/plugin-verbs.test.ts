import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TEMPLATES } from "@weft/sdk/workshop";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { type Ended, runWeft } from "./world/weft.ts";

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "weft-verbs-"));
  await ok("new", "keys", "--template", "auth");
  // Whatever the SDK costs by now, the tests below are about differences.
  await ok("bench", "keys", "--update");
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a verb in a folder outside of the repository. */
const plugin = (...args: string[]): Promise<Ended> => runWeft(folder, ["plugin", ...args]);

/** Runs what must succeed, and answers its stdout. */
async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await plugin(...args);
  if (code !== 0)
    throw new Error(`weft plugin ${args.join(" ")} ended with ${code}:\n${stderr}${stdout}`);
  return stdout;
}

/** Changes a file of the plugin "keys" while something is done. */
async function edited<T>(
  file: string,
  edit: (text: string) => string,
  act: () => Promise<T>,
): Promise<T> {
  const path = join(folder, "keys", file);
  const before = readFileSync(path, "utf8");
  writeFileSync(path, edit(before));
  try {
    return await act();
  } finally {
    writeFileSync(path, before);
  }
}

test.each(Object.keys(TEMPLATES))(
  "the template %s is green from the first run on",
  async (template) => {
    // Another name than the placeholder's, and than the folder's: neither may matter to costs.
    const made = await plugin("new", `of/${template}`, "--template", template, "--name", "a-b");
    expect([made.code, made.stderr]).toEqual([
      0,
      `next: weft plugin test of/${template}, then read of/${template}/README.md\n`,
    ]);
    const tested = JSON.parse(await ok("test", `of/${template}`, "-o", "json"));
    expect(tested).toMatchObject({ failed: 0, skipped: 0 });
    expect(tested.passed).toBeGreaterThan(4);
    const { code, stderr } = await plugin("bench", `of/${template}`);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^within budget/)]);
  },
  180_000,
);

test("new writes every file with the plugin's name in it, and says which", async () => {
  const { name, files } = JSON.parse(await ok("new", "json", "--name", "tea", "-o", "json"));
  expect(name).toBe("tea");
  expect(files).toEqual(
    [
      ...[".gitignore", "README.md", "asconfig.json", "assembly/index.ts", "budget.json"],
      ...["extension.yaml", "package.json", "tea.test.ts", "tsconfig.json"],
    ].map((file) => join("json", file)),
  );
  for (const file of files) {
    expect(readFileSync(join(folder, file), "utf8")).not.toContain("plugin-name");
  }
  expect(await ok("new", "names", "-o", "name")).toBe("names\n");
  expect(parse(await ok("new", "yaml", "-o", "yaml"))).toMatchObject({ template: "headers" });
  expect(await ok("new", "--list", "-o", "name")).toBe(`${Object.keys(TEMPLATES).join("\n")}\n`);
  expect(JSON.parse(await ok("new", "--list", "-o", "json")).templates).toHaveLength(6);
});

test("build tells path, sizes and digest, which are the same again", async () => {
  const told = await ok("build", "keys", "-o", "json");
  const { path, bytes, bytesWithoutNames, sha256 } = JSON.parse(told);
  expect(path).toBe("keys/build/keys.wasm");
  expect(readFileSync(join(folder, path)).byteLength).toBe(bytes);
  expect(bytesWithoutNames).toBeLessThan(bytes);
  const again = parse(await ok("build", "keys", "--out-file", "out/k.wasm", "-o", "yaml"));
  expect(again).toMatchObject({ sha256, path: "out/k.wasm" });
  expect(readFileSync(join(folder, "out/k.wasm"))).toEqual(readFileSync(join(folder, path)));
  expect(await ok("build", "keys")).toBe(
    `keys/build/keys.wasm\n  size    ${bytes} bytes, ${bytesWithoutNames} without names\n  sha256  ${sha256}\n`,
  );
});

test("what does not compile is shown at its place", async () => {
  const { code, stdout, stderr } = await edited(
    "assembly/index.ts",
    (text) => text.replace("return this.respond(", "retrun this.respond("),
    () => plugin("build", "keys"),
  );
  expect([code, stdout]).toEqual([65, ""]);
  expect(stderr).toContain("error[WEFT0412]: TS2304 Cannot find name 'retrun'.\n");
  expect(stderr).toMatch(/ {2}--> keys\/assembly\/index\.ts:\d+:5\n/);
  expect(stderr).toMatch(/\| {4} retrun this\.respond\(401/);
});

/** Neither holds of a build that is not optimised. */
const ABOUT_RELEASES = `
import { readFileSync } from "node:fs";
import { createHost } from "@weft/sdk/host";

test("the module is the release", () => {
  const release = readFileSync(import.meta.dirname + "/build/keys.wasm");
  expect(Buffer.compare(release, plugin.wasm)).toBe(0);
});

test("fuel is a release's", () => {
  const host = createHost(plugin.wasm, { meter: true });
  expect(host.start(JSON.stringify({ keys }))).not.toBeNull();
  expect(plugin.start({ keys }, { meter: true }).host.costs).toEqual(host.costs);
});
`;

test("test runs what fits, and says what failed", async () => {
  const failing = await edited(
    "keys.test.ts",
    (text) => text.replace('"x-consumer", "bob"', '"x-consumer", "eve"'),
    () => plugin("test", "keys", "-o", "json"),
  );
  const { passed, failed, tests } = JSON.parse(failing.stdout);
  expect([failing.code, passed, failed]).toEqual([1, 7, 1]);
  const red = tests.find(({ state }: { state: string }) => state === "failed");
  expect(red).toMatchObject({
    file: "keys.test.ts",
    name: "a key lets its owner in, and goes no further",
    errors: [expect.stringContaining('header x-consumer: eve: it is "bob"')],
  });
  const none = await plugin("test", "keys", "nothing-like-it");
  expect([none.code, none.stderr.split("\n")[0]]).toEqual([
    66,
    "error[WEFT0611]: keys holds no *.test.ts with nothing-like-it in its name",
  ]);
}, 180_000);

test("test --coverage tells what of the sources has run, and judges the release", async () => {
  const covered = await edited(
    "keys.test.ts",
    (text) => text + ABOUT_RELEASES,
    () => ok("test", "keys", "--coverage", "-o", "json"),
  );
  const { passed, coverage } = JSON.parse(covered);
  expect(passed).toBe(10);
  expect(coverage).toMatchObject([{ file: "assembly/index.ts", missed: [], partly: [] }]);
  const [{ statements, branches, functions }] = coverage;
  for (const { run, all } of [statements, branches, functions]) {
    expect(run).toBeGreaterThan(2);
    expect(run).toBe(all);
  }
  // Without the tests of refusals their lines do not run; no test can reach a file of its own.
  const spare = join(folder, "keys/assembly/spare.ts");
  writeFileSync(spare, "export function spare(): i32 {\n  return 1;\n}\n");
  const partly = await edited(
    "keys.test.ts",
    (text) => text.replace("test.each<", "test.skip.each<"),
    () => ok("test", "keys", "--coverage"),
  );
  rmSync(spare);
  expect(partly.slice(partly.indexOf("FILE"))).toMatch(
    new RegExp(
      [
        "^FILE +STATEMENTS +BRANCHES +FUNCTIONS +LINES +NOT RUN +PARTLY",
        "assembly/index\\.ts +\\d\\d% +\\d\\d% +\\d\\d% +\\d\\d% +\\d\\d.* +\\d\\d.*",
        "assembly/spare\\.ts +0% +- +0% +0% +2 +-",
        "all files +\\d\\d% +\\d\\d% +\\d\\d% +\\d\\d% +- +-\n$",
      ].join("\n"),
    ),
  );
  const final = JSON.parse(readFileSync(join(folder, "keys/coverage/coverage-final.json"), "utf8"));
  const paths = ["index.ts", "spare.ts"].map((name) => join(folder, "keys/assembly", name));
  expect(Object.keys(final)).toEqual(paths);
  expect(Object.values(final[paths[0] ?? ""].s)).toContain(0);
  expect(final[paths[1] ?? ""]).toMatchObject({ path: paths[1], s: { 0: 0 }, f: { 0: 0 } });
}, 180_000);

test("bench holds callbacks to their budget, and takes new costs", async () => {
  const tight = (text: string) => text.replace('"hostcalls": 3', '"hostcalls": 2');
  const over = await edited("budget.json", tight, () => plugin("bench", "keys"));
  expect(over.code).toBe(1);
  expect(over.stderr).toBe(
    [
      "over budget: 1 finding",
      "  a known key",
      "    on_request_headers takes 3 host calls, 2 budgeted (+50.0 %)",
      "make it cheaper, or allow the new costs: weft plugin bench keys --update\n",
    ].join("\n"),
  );
  expect(over.stdout).toMatch(
    /^EXCHANGE +CALLBACK +NS +FUEL +HOSTCALLS +COPIED +ALLOCATIONS +BUDGET\n/,
  );
  const loose = (text: string) => text.replace('"hostcalls": 3', '"hostcalls": 4');
  const under = await edited("budget.json", loose, () => plugin("bench", "keys", "-o", "json"));
  expect([under.code, under.stderr]).toEqual([
    0,
    "within budget; some callbacks cost less than they may. Tighten it: weft plugin bench keys --update\n",
  ]);
  const { exchanges, findings } = JSON.parse(under.stdout);
  expect(exchanges[0].callbacks[1]).toMatchObject({
    name: "proxy_on_request_headers",
    hostcalls: 3,
    budget: { hostcalls: 4 },
  });
  expect(findings).toMatchObject([{ measure: "hostcalls", isOver: false }]);
  const before = readFileSync(join(folder, "keys/budget.json"), "utf8");
  await edited("budget.json", loose, async () => {
    await ok("bench", "keys", "--update");
    expect(readFileSync(join(folder, "keys/budget.json"), "utf8")).toBe(before);
  });
  const slip = (text: string) => text.replace('"request"', '"reqest"');
  const refused = await edited("budget.json", slip, () => plugin("bench", "keys"));
  expect(refused.code).toBe(65);
  expect(refused.stderr).toMatch(
    /^error\[WEFT0413\]: exchanges\["a known key"\]\.reqest is no field here\n {2}--> keys\/budget\.json:5:7\n/,
  );
});

test("a first budget is one plain request", async () => {
  await ok("new", "plain");
  rmSync(join(folder, "plain/budget.json"));
  const without = await plugin("bench", "plain");
  expect([without.code, without.stderr.split("\n")[0]]).toEqual([
    66,
    "error[WEFT0417]: plain holds no budget.json",
  ]);
  // This plugin needs a domain, which a plain request does not tell.
  const refused = await plugin("bench", "plain", "--update");
  expect([refused.code, refused.stderr.split("\n")[0]]).toEqual([
    65,
    "error[WEFT0414]: the plugin refuses its configuration: plain: configuration needs domain, at byte 2",
  ]);
  expect(existsSync(join(folder, "plain/budget.json"))).toBe(false);
});

test("fuzz finds a trap, makes it small, and plays it again", async () => {
  await edited(
    "assembly/index.ts",
    (text) => text.replace("if (given.length != 1) return", "if (given.length > 1) return"),
    async () => {
      const found = await plugin("fuzz", "keys", "--seed", "7", "--runs", "200", "-o", "json");
      expect(found.code).toBe(1);
      const { finding, seed } = JSON.parse(found.stdout);
      expect([seed, finding.oracle]).toEqual([7, "trap"]);
      expect(finding.backtrace.map(({ name }: { name: string }) => name)).toContain(
        "assembly/index/ApiKeys#onRequestHeaders",
      );
      expect(found.stderr).toMatch(/^found: it traps\n {2}proxy_on_request_headers trapped: /);
      expect(found.stderr).toContain(
        "again    weft plugin fuzz keys --replay keys/build/fuzz/trap-7.json",
      );
      const again = await plugin("fuzz", "keys", "--replay", "keys/build/fuzz/trap-7.json");
      expect([again.code, again.stdout]).toEqual([1, ""]);
      expect(again.stderr).toContain("found: it traps\n");
      const played = await plugin("replay", "keys", "keys/build/fuzz/trap-7.json");
      expect([played.code, played.stderr]).toEqual([1, expect.stringMatching(/^#1 traps: /)]);
    },
  );
  const mended = await plugin("fuzz", "keys", "--replay", "keys/build/fuzz/trap-7.json");
  expect([mended.code, mended.stderr]).toEqual([
    0,
    "nothing found in keys/build/fuzz/trap-7.json\n",
  ]);
}, 180_000);

test("replay tells what comes out, and how builds differ", async () => {
  const request = (key: string) => ({
    configuration: { keys: { k1: "ann" } },
    request: {
      headers: [
        [":method", "GET"],
        [":path", "/"],
        ["x-api-key", key],
      ],
    },
    response: { headers: [[":status", "200"]], body: ["hello"] },
  });
  const lines = [request("k1"), request("k2"), request("k3")].map((each) => JSON.stringify(each));
  writeFileSync(join(folder, "day.jsonl"), `${lines.join("\n")}\n`);
  await ok("build", "keys", "--out-file", "before.wasm");
  expect(await ok("replay", "keys", "day.jsonl")).toMatchInlineSnapshot(`
    "#  REQUEST  UPSTREAM GETS  CLIENT GETS               NOTE
    1  GET /    3 headers      200, 1 header, 5 bytes    -
    2  GET /    nothing        401, 4 headers, 21 bytes  answered by the plugin: unknown key
    3  GET /    nothing        401, 4 headers, 21 bytes  answered by the plugin: unknown key
    "
  `);
  const same = await plugin("replay", "keys", "day.jsonl", "--against", "before.wasm");
  expect([same.code, same.stdout, same.stderr]).toEqual([
    0,
    "",
    "3 exchanges played: as the other build\n",
  ]);
  await edited(
    "assembly/index.ts",
    (text) => text.replaceAll("x-consumer", "x-owner").replaceAll("401", "403"),
    async () => {
      const other = await plugin("replay", "keys", "day.jsonl", "--against", "before.wasm");
      expect([other.code, other.stderr]).toEqual([
        1,
        "3 exchanges played: 3 differ from the other build\n",
      ]);
      expect(other.stdout).toMatchInlineSnapshot(`
        "DIFFERENCE                 EXCHANGES  FIRST  BEFORE   AFTER
        response header :status    2          #2     "401"    "403"
        request header x-consumer  1          #1     "ann"    nothing
        request header x-owner     1          #1     nothing  "ann"
        "
      `);
      const json = await plugin(
        "replay",
        "keys",
        "day.jsonl",
        "--against",
        "before.wasm",
        "-o",
        "json",
      );
      expect(JSON.parse(json.stdout)).toMatchObject({ exchanges: 3, differing: 3 });
    },
  );
  // A recording does not tell the configuration; that of an example knows another key.
  const { configuration: _, ...bare } = request("k-1234");
  const line = JSON.stringify(bare);
  const example = await runWeft(folder, ["plugin", "replay", "keys", "-"], line);
  expect(example.stdout).toMatch(/\n1 +GET \/ +3 headers +200/);
  const told = ["--configuration", '{"keys": {"k": "v"}}'];
  const other = await runWeft(folder, ["plugin", "replay", "keys", "-", ...told], line);
  expect(other.stdout).toContain("answered by the plugin: unknown key");
  const recorded = { ...request("k1"), recorded: { response: { headers: [[":status", "200"]] } } };
  const piped = await runWeft(folder, ["plugin", "replay", "keys", "-"], JSON.stringify(recorded));
  expect([piped.code, piped.stderr]).toEqual([
    1,
    "1 exchange played: 1 differ from what was recorded\n",
  ]);
}, 180_000);

test("inspect tells what a module holds, and what it can do that another cannot", async () => {
  await ok("build", "keys", "--out-file", "before.wasm");
  const told = await ok("inspect", "before.wasm");
  expect(told).toMatch(
    /^before 0\.1\.0\n {2}abi +0\.2\.1\n {2}size +\d+ bytes\n {2}memory +1 page of 64/,
  );
  expect(told).toMatch(/\nSECTION +BYTES\ntype +\d+\n/);
  expect(told).toMatch(/\nCALLBACK +USES\n[\s\S]*\non_configure +define_metric get_buffer_bytes /);
  const json = JSON.parse(await ok("inspect", "keys", "-o", "json"));
  expect(json).toMatchObject({ name: "keys", abiVersions: ["0.2.1"], manifest: { name: "keys" } });
  expect(parse(await ok("inspect", "keys", "-o", "yaml"))).toEqual(json);
  const same = await plugin("inspect", "keys", "--against", "before.wasm");
  expect([same.code, same.stdout, same.stderr]).toEqual([
    0,
    "",
    "it can do nothing that the other build cannot\n",
  ]);
  const counts = "refused.inc();";
  await edited(
    "assembly/index.ts",
    (text) => text.replace(counts, "this.reset();"),
    async () => {
      const other = await plugin("inspect", "keys", "--against", "before.wasm");
      expect([other.code, other.stdout, other.stderr]).toEqual([
        1,
        "+ on_request_headers newly uses proxy_close_stream\n" +
          "- on_request_headers no longer uses proxy_increment_metric\n",
        "it can do more than the other build, in 1 way\n",
      ]);
    },
  );
  const none = await plugin("inspect", "keys/budget.json");
  expect([none.code, none.stderr.split("\n")[0]]).toEqual([
    65,
    "error[WEFT0401]: keys/budget.json is no module that proxies run: it does not begin with \\0asm at byte 0",
  ]);
}, 180_000);

test.for([
  [64, ["new"], "error[WEFT0610]: name the folder to make, or --list the templates"],
  [64, ["new", "x", "--template", "ghost"], "error[WEFT0610]: option '--template <name>'"],
  [64, ["fuzz", "keys", "--runs", "many"], "error[WEFT0610]: option '--runs <number>'"],
  [64, ["test", "keys", "--coverage", "--watch"], "error[WEFT0610]: option '--coverage' cannot"],
  [64, ["bogus"], "error[WEFT0610]: unknown command 'bogus'"],
  [64, ["replay", "keys"], "error[WEFT0610]: missing required argument 'exchanges'"],
  [65, ["new", "My_Plugin"], 'error[WEFT0410]: "My_Plugin" is no name for a plugin'],
  [65, ["new", "keys"], "error[WEFT0418]: keys is not empty"],
  [66, ["build", "ghost"], "error[WEFT0611]: ghost does not exist"],
  [66, ["test", "."], "error[WEFT0416]: . holds no asconfig.json"],
  [66, ["replay", "keys", "ghost.jsonl"], "error[WEFT0611]: ghost.jsonl does not exist"],
] as const)("exit %s for weft plugin %j", async ([exit, args, message]) => {
  const { code, stdout, stderr } = await plugin(...args);
  expect({ code, stdout }).toEqual({ code: exit, stdout: "" });
  expect(stderr.slice(0, message.length)).toBe(message);
});

test("every verb has a page with its exit codes and examples", async () => {
  const group = await ok("--help");
  for (const verb of ["new", "build", "test", "bench", "fuzz", "replay", "inspect"]) {
    expect(group).toMatch(new RegExp(`^ {2}${verb} `, "m"));
    const page = await ok(verb, "--help");
    expect(page).toContain(`Usage: weft plugin ${verb} [options]`);
    expect(page).toMatch(
      /\n\nEXIT CODES\n {4}0 {2}[\s\S]*\n {2}130 {2}interrupted\n\nEXAMPLES\n {2}\S/,
    );
    // None of them asks a control plane.
    expect(page).not.toContain("control plane");
  }
});

test("a folder that was moved to another checkout finds the SDK again", async () => {
  const modules = join(folder, "keys/node_modules");
  rmSync(modules, { recursive: true });
  mkdirSync(join(modules, "@weft"), { recursive: true });
  await ok("build", "keys");
  expect(existsSync(join(modules, "@weft/sdk/package.json"))).toBe(true);
  expect(existsSync(join(modules, ".bin/weft"))).toBe(true);
});
