// `npm start`: every step of the demo holds, it stays until it is asked to end, and leaves nothing.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";

const START = resolve(import.meta.dirname, "../../infra/start.ts");

/** Starts the demo; `told` is what it has said so far. */
function startDemo(...args: string[]): { readonly child: ChildProcess; told(): string } {
  let text = "";
  const child = spawn(process.execPath, [START, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  child.stdout?.on("data", (chunk) => {
    text += String(chunk);
  });
  return { child, told: () => stripVTControlCharacters(text) };
}

function expectHeld(story: string): void {
  expect(/NOT SO.*/g.exec(story)?.[0]).toBeUndefined();
  expect(story).toContain("Everything held");
}

test("told once, it ends by itself and leaves no process", async () => {
  const { child, told } = startDemo("--once");
  const [code] = await once(child, "close");
  expectHeld(told());
  expect(code).toBe(0);
  expect(processesOf("weft-demo-")).toEqual([]);
}, 180_000);

test("else it stays until it is asked to end, and leaves no process", async () => {
  const { child, told } = startDemo();
  await expect.poll(told, { timeout: 120_000, interval: 100 }).toContain("Ctrl-C");
  expectHeld(told());
  expect(child.exitCode).toBeNull();
  expect(processesOf("weft-demo-").length).toBeGreaterThan(7);
  child.kill("SIGINT");
  const [code] = await once(child, "close");
  expect(code).toBe(0);
  expect(processesOf("weft-demo-")).toEqual([]);
}, 180_000);

/** Command lines that name a folder of the demo. */
function processesOf(mark: string): readonly string[] {
  return globSync("/proc/[0-9]*/cmdline").flatMap((path) => {
    try {
      const command = readFileSync(path, "utf8").replaceAll("\0", " ");
      return command.includes(mark) ? [command] : [];
    } catch {
      return []; // it ended meanwhile
    }
  });
}
