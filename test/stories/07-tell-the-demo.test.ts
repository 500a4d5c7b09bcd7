// `npm start -- --once`: every step of the demo holds, and nothing is left behind.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";

const START = resolve(import.meta.dirname, "../../infra/start.ts");

test("the demo tells its story once and leaves no process", async () => {
  const child = spawn(process.execPath, [START, "--once"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, LOG_LEVEL: "error" },
  });
  let told = "";
  child.stdout.on("data", (text) => {
    told += String(text);
  });
  const [code] = await once(child, "close");
  const story = stripVTControlCharacters(told);
  expect({ code, notSo: /NOT SO.*/g.exec(story)?.[0] }).toEqual({ code: 0, notSo: undefined });
  expect(story).toContain("Everything held");
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
