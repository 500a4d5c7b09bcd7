// From an edit to a plugin that serves it: `weft plugin dev` on a folder that `weft plugin new` has
// made, with its tests and its budget, edit after edit; each is another module of the same costs.
//
//   node test/bench/plugin-dev.ts [edits]

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const CLI = resolve(import.meta.dirname, "../../services/cli/main.ts");
const [edits = "20"] = process.argv.slice(2);

/** Edits at the beginning that do not count: the compiler and vitest grow warm. */
const WARM_UP = 5;

/** The line of the template behind which edits are made. */
const ANCHOR = 'headers.remove("x-powered-by");';

interface Event {
  readonly isLive?: boolean;
  readonly isGreen?: boolean;
  readonly editMs: number;
  readonly buildMs?: number;
  readonly testMs?: number;
  readonly swapMs?: number;
  readonly error?: string;
}

const home = mkdtempSync(join(tmpdir(), "weft-bench-"));
const folder = join(home, "plugin");
const weft = (...args: string[]) => execFileSync(process.execPath, [CLI, "plugin", ...args]);
weft("new", folder, "--template", "headers");
const source = join(folder, "assembly/index.ts");
const text = readFileSync(source, "utf8");
if (!text.includes(ANCHOR)) throw new Error(`the template has no line ${ANCHOR} any more`);
const write = (edit: number): void => {
  const name = `x-edit-${String(edit).padStart(4, "0")}`;
  const [before, after] = text.split(ANCHOR) as [string, string];
  writeFileSync(source, `${before}${ANCHOR}\n    headers.remove("${name}");${after}`);
};
write(0);
weft("bench", folder, "--update");
const child = spawn(
  process.execPath,
  [CLI, "plugin", "dev", folder, "--port", "0", "--admin-port", "0", "-o", "jsonl"],
  { stdio: ["ignore", "pipe", "inherit"] },
);
const events = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

async function next(isIt: (event: Event) => boolean): Promise<Event> {
  for (;;) {
    const { value, done } = await events.next();
    if (done === true) throw new Error("it has ended");
    const event = JSON.parse(value) as Event;
    if (event.error !== undefined) throw new Error(event.error);
    if (isIt(event)) return event;
  }
}

try {
  await next(({ isGreen }) => isGreen === true);
  const measured: Event[] = [];
  for (let edit = 1; edit <= WARM_UP + Number(edits); edit++) {
    write(edit);
    const event = await next(({ isLive }) => isLive !== undefined);
    if (edit > WARM_UP) measured.push(event);
    // Who edits has looked at the one before: what runs behind it has ended by then.
    await next(({ isGreen }) => isGreen === true);
  }
  console.log(`${measured.length} edits, in ms`);
  console.log("           p50    max");
  for (const name of ["editMs", "buildMs", "testMs", "swapMs"] as const) {
    const sorted = measured.map((each) => each[name] ?? 0).sort((a, b) => a - b);
    const p50 = sorted[Math.floor(sorted.length / 2)] ?? 0;
    const max = sorted.at(-1) ?? 0;
    const cells = [p50, max].map((ms) => ms.toFixed(0).padStart(6));
    console.log(`  ${name.replace("Ms", "").padEnd(7)}${cells.join(" ")}`);
  }
} finally {
  child.kill("SIGINT");
  await new Promise((done) => child.once("close", done));
  rmSync(home, { recursive: true });
}
