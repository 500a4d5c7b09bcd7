import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test, vi } from "vitest";
import { until } from "./world/plugin-envoy.ts";

/** Each test starts compilers, Envoys and vitests, on a machine that has other things to do. */
const TEST_MS_MAX = 180_000;
vi.setConfig({ testTimeout: TEST_MS_MAX });

const CLI = resolve("services/cli/main.ts");

const SOURCE = `import { Action, config, filter, Headers, HttpFilter, max } from "@weft/sdk/assembly";

@config
class Settings {
  mark: string = "none";
  @max(9) level: u8 = 0;
}

@filter("tea")
export class Tea extends HttpFilter<Settings> {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    headers.set("x-mark", this.config.mark + " one");
    return Action.Continue;
  }
}
`;

/** The same plugin, with another word in its mark. */
function saying(word: string): string {
  return SOURCE.replace('" one"', `" ${word}"`);
}

const TEST = `import { load } from "@weft/sdk/vitest";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

test("requests are marked", () => {
  const headers = plugin.start({ mark: "m" }).open().requestHeaders([[":path", "/"]]);
  expect(headers).toHaveHeader("x-mark", /^m (one|two|three)$/);
});
`;

/** A plugin's folder outside of the checkout, as an author has it. */
function authorsFolder(files: Readonly<Record<string, string>> = {}) {
  const home = mkdtempSync(join(tmpdir(), "weft-author-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const folder = join(home, "tea");
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const all = {
    "asconfig.json": `{ "extends": "@weft/sdk/asconfig.json", "entries": ["assembly/index.ts"] }`,
    "package.json": `{ "name": "tea", "version": "1.0.0", "type": "module" }`,
    "extension.yaml": "name: tea\nversion: 1.0.0\n",
    "dev.yaml": "configuration:\n  mark: first\n",
    "assembly/index.ts": `import "./tea";\n`,
    "assembly/tea.ts": SOURCE,
    "tea.test.ts": TEST,
    ...files,
  };
  for (const [name, text] of Object.entries(all)) write(name, text);
  // Temporary folders of the command's go where it can be seen whether they stay.
  const temporary = join(home, "tmp");
  mkdirSync(temporary);
  return { folder, temporary, write };
}

/** What a command prints with `-o jsonl`, and how it ends. */
interface Running {
  readonly child: ChildProcess;
  // biome-ignore lint/suspicious/noExplicitAny: what is told of an edit is looked at by its fields
  readonly events: any[];
  stderr(): string;
  /** How often the tests behind an edit were green. */
  greens(): number;
  /** Waits for one more event than there were. */
  // biome-ignore lint/suspicious/noExplicitAny: the same
  next(): Promise<any>;
  /** Asks it to end, and answers the exit code. */
  stop(): Promise<number | null>;
  readonly exit: Promise<number | null>;
}

function weft(args: readonly string[], temporary: string): Running {
  const env = { ...process.env, TMPDIR: temporary, NO_COLOR: "1" };
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const events: unknown[] = [];
  let [text, seen] = ["", 0];
  let greens = 0;
  createInterface({ input: child.stdout as never }).on("line", (line) => {
    const event = JSON.parse(line);
    if (event.isGreen === undefined) events.push(event);
    else if (event.isGreen) greens += 1;
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const exit = once(child, "close").then(([code]) => code as number | null);
  let hasEnded = false;
  void exit.then(() => {
    hasEnded = true;
  });
  return {
    child,
    events,
    stderr: () => text,
    greens: () => greens,
    async next() {
      await until(() => events.length > seen || hasEnded, "what an edit leads to");
      if (events.length <= seen) throw new Error(`it has ended: ${text}`);
      seen += 1;
      return events[seen - 1];
    },
    stop() {
      child.kill("SIGINT");
      return exit;
    },
    exit,
  };
}

const dev = (folder: string, ...more: string[]): string[] => {
  return ["plugin", "dev", folder, "--port", "0", "--admin-port", "0", "-o", "jsonl", ...more];
};

/** The mark that requests carry. */
async function markAt(url: string): Promise<string> {
  const { headers } = (await (await fetch(url)).json()) as { headers: [string, string][] };
  return headers.find(([name]) => name === "x-mark")?.[1] ?? "";
}

test("an edit is built, tested and served, and what is wrong leaves the one before", async () => {
  const { folder, temporary, write } = authorsFolder();
  const running = weft(dev(folder), temporary);
  const first = await running.next();
  expect(first).toMatchObject({ isLive: true, url: expect.stringContaining("http://127.0.0.1:") });
  expect(await markAt(first.url)).toBe("first one");

  write("assembly/tea.ts", saying("two"));
  const edit = await running.next();
  expect(edit).toMatchObject({ isLive: true, url: first.url, admin: first.admin });
  expect(edit.editMs).toBeGreaterThanOrEqual(edit.buildMs + edit.swapMs);
  expect(await markAt(first.url)).toBe("first two");

  write("assembly/tea.ts", SOURCE.replace("Action.Continue", "Action.Kontinue"));
  expect((await running.next()).error).toContain("does not compile");
  await until(() => /tea\.ts:13:19/.test(running.stderr()), "the place of the mistake");
  expect(await markAt(first.url)).toBe("first two");

  write("dev.yaml", "configuration:\n  mark: second\n");
  expect((await running.next()).isLive).toBe(false);
  write("assembly/tea.ts", saying("three"));
  expect((await running.next()).isLive).toBe(true);
  expect(await markAt(first.url)).toBe("second three");

  write("dev.yaml", "configuration:\n  mark: second\n  level: 10\n");
  expect((await running.next()).error).toContain("Envoy does not take the plugin");
  await until(() => running.stderr().includes("dev.yaml:3:3"), "the place in the configuration");
  expect(running.stderr()).toContain("tea: level: must be at most 9");
  expect(await markAt(first.url)).toBe("second three");

  write("dev.yaml", "configuration:\n  mark: third\n");
  const settled = await running.next();
  expect(settled).toMatchObject({ isLive: true });
  expect(settled.buildMs).toBeUndefined();
  expect(await markAt(first.url)).toBe("third three");

  expect(await running.stop()).toBe(0);
  await expect(fetch(first.url)).rejects.toThrow();
  await expect(fetch(first.admin)).rejects.toThrow();
  expect(readdirSync(temporary).filter((name) => name.startsWith("weft-"))).toEqual([]);
});

test("a red test stops the swap, until it is green or nobody asks it", async () => {
  const { folder, temporary, write } = authorsFolder();
  const running = weft(dev(folder), temporary);
  const { url } = await running.next();
  // From then on it is known which tests are quick.
  await until(() => running.greens() > 0, "the first run of all tests");
  write("assembly/tea.ts", saying("four"));
  expect((await running.next()).error).toContain("a test fails");
  expect(await markAt(url)).toBe("first one");
  await until(() => running.stderr().includes("tea.test.ts:"), "which test it is");
  expect(running.stderr()).toContain("requests are marked");
  write("assembly/tea.ts", saying("three"));
  expect(await running.next()).toMatchObject({ isLive: true });
  expect(await markAt(url)).toBe("first three");
  expect(await running.stop()).toBe(0);

  const careless = weft(dev(folder, "--no-test"), temporary);
  const started = await careless.next();
  write("assembly/tea.ts", saying("four"));
  expect(await careless.next()).toMatchObject({ isLive: true });
  expect(await markAt(started.url)).toBe("first four");
  expect(await careless.stop()).toBe(0);
});

test.each([
  ["does not compile", { "assembly/tea.ts": SOURCE.replace("Action.", "Aktion.") }, 65],
  ["is red", { "assembly/tea.ts": saying("four") }, 1],
  ["is refused", { "dev.yaml": "configuration: { level: 10 }" }, 65],
  ["has a slip in its settings", { "dev.yaml": "upstreem: 127.0.0.1:1" }, 65],
])("--once ends if the plugin %s, with a code that says so", async (_, files, code) => {
  const { folder, temporary } = authorsFolder(files as Record<string, string>);
  const running = weft(dev(folder, "--once"), temporary);
  expect(await running.exit).toBe(code);
  expect(readdirSync(temporary).filter((name) => name.startsWith("weft-"))).toEqual([]);
});

test("requests are recorded as they came to the plugin, without secrets", async () => {
  const { folder, temporary } = authorsFolder();
  const running = weft(dev(folder, "--once"), temporary);
  const { url, admin } = await running.next();
  const file = join(temporary, "requests.jsonl");
  const record = ["plugin", "record", file, "--admin", admin, "--match", "/tea", "--count", "2"];
  const recording = weft(record, temporary);
  await until(() => recording.stderr().includes("recording from"), "a recording");
  await fetch(`${url}/coffee`);
  await fetch(`${url}/tea?a=1`, { headers: { authorization: "Bearer hidden", "x-mark": "mine" } });
  await fetch(`${url}/tea`, { method: "POST", body: "milk" });
  expect(await recording.exit).toBe(0);
  expect(recording.stderr()).toContain("2 exchanges");
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const [got, posted] = lines.map((line) => JSON.parse(line));
  expect(lines).toHaveLength(2);
  expect(got.request.headers).toEqual(
    expect.arrayContaining([
      [":path", "/tea?a=1"],
      ["x-mark", "mine"],
      ["authorization", "Bearer redacted"],
    ]),
  );
  expect(got.response.headers[0]).toEqual([":status", "200"]);
  // What the upstream got and tells back is behind the plugin.
  expect(got.response.body.join("")).toContain('["x-mark","first one"]');
  expect(posted.request.body).toEqual(["milk"]);
  expect(posted.configuration).toEqual({ mark: "first" });
  // With what it ran with it is played again.
  const replayed = weft(["plugin", "replay", folder, file, "-o", "jsonl"], temporary);
  expect(await replayed.exit).toBe(0);
  expect(JSON.stringify(await replayed.next())).toContain('["x-mark","first one"]');

  const nowhere = weft(["plugin", "record", "--admin", admin, "--tap-id", "no"], temporary);
  expect(await nowhere.exit).toBe(66);
  expect(nowhere.stderr()).toContain("Unknown config id 'no'");
  expect(await running.stop()).toBe(0);
  expect(await weft(["plugin", "record", "--admin", admin], temporary).exit).toBe(66);
});
