// An access log on /dev/stdout, whatever the agent's own stdout is.

import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";

const START_TIMEOUT_MS = 60_000;

const program = [process.execPath, resolve(import.meta.dirname, "world/logging-envoy.ts")] as const;

let folder: string;
let log: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-stdout-"));
  log = join(folder, "log");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function start(command: readonly string[], stdout: number | "pipe" | "ignore"): ChildProcess {
  const [file = "", ...args] = command;
  const stdio: StdioOptions = ["ignore", stdout, "inherit"];
  return spawn(file, args, { stdio, timeout: START_TIMEOUT_MS });
}

async function end(child: ChildProcess): Promise<void> {
  const [code] = await once(child, "close");
  expect(code).toBe(0);
}

test("a socket, which has no name to open", async () => {
  // What Node calls a pipe is a socket, and so is the stdout of a service under systemd.
  const child = start([...program, folder], "pipe");
  const [written] = await Promise.all([text(child.stdout as Readable), end(child)]);
  expect(written).toBe("asked for /hello\n");
});

test("a file", async () => {
  const file = openSync(log, "a");
  await end(start([...program, folder], file));
  closeSync(file);
  expect(readFileSync(log, "utf8")).toBe("asked for /hello\n");
});

test("a pipe", async () => {
  await end(start(["/bin/sh", "-c", `"$@" | cat > ${log}`, "sh", ...program, folder], "ignore"));
  expect(readFileSync(log, "utf8")).toBe("asked for /hello\n");
});

test("a terminal", async () => {
  await end(start(["script", "-qec", [...program, folder].join(" "), log], "ignore"));
  expect(readFileSync(log, "utf8")).toContain("asked for /hello\r\n");
});
