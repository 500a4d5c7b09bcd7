import { execFile } from "node:child_process";
import { closeSync, constants, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Logger } from "@weft/core/runtime";

/** What a child is started with as its stdout. */
export interface EnvoyStdout {
  readonly stdio: "inherit" | "ignore" | number;
  /** To be called once the child has it, or will never have it. */
  release(): void;
}

/**
 * The stdout of an Envoy that may be told to log to `/dev/stdout`. Envoy opens that name anew, which
 * works for a terminal, a file or a pipe, so those it simply gets. A socket has no name to open, and
 * Envoy would refuse every listener: it gets a FIFO instead, and what it writes is passed on.
 */
export async function envoyStdout(folder: string, log: Logger): Promise<EnvoyStdout> {
  if (opensByName()) return { stdio: "inherit", release() {} };
  const path = join(folder, "envoy.stdout");
  rmSync(path, { force: true });
  try {
    await promisify(execFile)("mkfifo", ["-m", "600", path]);
  } catch (error) {
    log.warn({ error: String(error) }, "what envoy writes to /dev/stdout is dropped");
    return { stdio: "ignore", release() {} };
  }
  // The reader comes first: a FIFO without one cannot be opened for writing without waiting.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  passOn(new Socket({ fd: reader, readable: true, writable: false }));
  const writer = openSync(path, constants.O_WRONLY);
  // Envoy opens what it was started with, name or not; whoever reads the folder must not wait on it.
  rmSync(path);
  return { stdio: writer, release: () => closeSync(writer) };
}

/** Whether `/dev/stdout` opens as Envoy opens it: for reading too, and never cut. */
function opensByName(): boolean {
  try {
    closeSync(openSync("/dev/stdout", constants.O_RDWR | constants.O_APPEND));
    return true;
  } catch {
    return false; // a socket, or somebody else's terminal or file
  }
}

/** Writes what is read to our own stdout, no faster than that takes it, until Envoy has ended. */
function passOn(source: Socket): void {
  const { stdout } = process;
  const proceed = (): void => {
    source.resume();
  };
  // Nobody listens any more: Envoy is read all the same, or its log would fill its memory.
  const discard = (): void => {
    source.off("data", write).resume();
  };
  function write(chunk: Buffer): void {
    if (stdout.write(chunk)) return;
    source.pause();
    stdout.once("drain", proceed);
  }
  stdout.once("error", discard);
  source.on("data", write);
  source.once("error", () => source.destroy());
  source.once("close", () => stdout.off("error", discard).off("drain", proceed));
}
