import { spawn } from "node:child_process";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters, styleText } from "node:util";
import { CLI } from "./control-plane.ts";

/** Lines of a command's output that the story shows; the rest is counted. */
const LINES_SHOWN_MAX = 14;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Tells the story on stdout, and remembers whether every step held. */
export interface Story {
  /** Begins a step. */
  step(title: string): void;
  /** Runs `weft ARGS`, shows the command and what it printed. */
  weft(args: readonly string[], options?: { readonly quiet?: boolean }): Promise<CommandResult>;
  /** States what was seen, and whether that is what should be. */
  expect(holds: boolean, seen: string): void;
  readonly failures: readonly string[];
}

export function createStory(options: { readonly server: string; readonly cwd: string }): Story {
  const failures: string[] = [];
  let steps = 0;
  return {
    failures,
    step(title) {
      steps++;
      console.log(`\n${styleText("bold", `${steps}. ${title}`)}`);
    },
    async weft(args, { quiet = false } = {}) {
      const shown = args.map((each) => (/[\s"]/.test(each) ? `'${each}'` : each)).join(" ");
      console.log(`   ${styleText("cyan", `$ weft ${shown}`)}`);
      const result = await runWeft(args, options);
      if (!quiet) show(`${result.stdout}${result.stderr}`);
      return result;
    },
    expect(holds, seen) {
      if (!holds) failures.push(`step ${steps}: ${stripVTControlCharacters(seen)}`);
      console.log(`   ${holds ? styleText("green", "ok") : styleText("red", "NOT SO")}  ${seen}`);
    },
  };
}

function show(output: string): void {
  const lines = output.trimEnd().split("\n");
  for (const line of lines.slice(0, LINES_SHOWN_MAX)) console.log(`   ${line}`);
  const more = lines.length - LINES_SHOWN_MAX;
  if (more > 0) console.log(`   … ${more} more lines`);
}

/** Runs the command line to its end. */
export function runWeft(
  args: readonly string[],
  options: { readonly server: string; readonly cwd: string },
): Promise<CommandResult> {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, WEFT_SERVER: options.server, WEFT_ACTOR: "demo" },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => done({ code: code ?? 1, stdout, stderr }));
  });
}

export interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** One GET; a connection that fails answers status 0. */
export function get(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return new Promise((done) => {
    const asked = request(url, { headers, timeout: 15_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("end", () =>
        done({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", (error) => done({ status: 0, headers: {}, body: error.message }));
    asked.end();
  });
}

/** Waits until `probe` holds. @throws Error with `what` once the deadline has passed */
export async function until(
  what: string,
  probe: () => Promise<boolean> | boolean,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await probe())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await sleep(20);
  }
}
