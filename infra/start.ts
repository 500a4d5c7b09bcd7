// The demo: a bookinfo mesh on real Envoys that tells its own story. Stays up until Ctrl-C.
//
//   npm start              tell the story, then stay
//   npm start -- --once    tell the story, then end: exit 0 if every step held

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "./gen.ts";
import { installTools } from "./tools.ts";

const beganMs = performance.now();

// The story is told on stdout; what its parts log is for whoever asks.
process.env["LOG_LEVEL"] ??= "error";

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // Asked twice: whoever asks does not want to wait.
    if (stopping.signal.aborted) process.exit(130);
    stopping.abort();
  });
}

const { envoy } = installTools();
generate();
const folder = mkdtempSync(join(tmpdir(), "weft-demo-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.exit((await tell()) ? 0 : 1);

/** Whether the story held. An end that was asked for is none of its failures. */
async function tell(): Promise<boolean> {
  const { signal } = stopping;
  try {
    // What the demo imports is generated code, which has only just been brought up to date.
    const { runDemo } = await import("./demo/demo.ts");
    const once = process.argv.includes("--once");
    return await runDemo({ beganMs, envoyPath: envoy, folder, once, signal });
  } catch (error) {
    if (signal.aborted) return true;
    console.error(error instanceof Error ? error.message : error);
    return false;
  }
}
