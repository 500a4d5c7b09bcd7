import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectNats, onDisconnect, openConfigLog } from "@weft/core/journal";
import { silentLogger, startNatsServer } from "@weft/core/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { installTools } from "../infra/tools.ts";

const program = installTools().natsServer;

/** Above the largest process id of any Linux (2^22). */
const PID_OF_NOBODY = 2 ** 30;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-nats-server-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const start = (options: { readonly restart?: boolean; readonly port?: number } = {}) =>
  startNatsServer({ ...options, program, folder, log: silentLogger });

/** Appends one message as a client of its own, and answers its revision. */
async function append(url: string, commandId: string): Promise<number> {
  const nats = await connectNats(url, { name: "test" });
  try {
    const journal = await openConfigLog(nats, "default");
    return await journal.append(Uint8Array.of(1), { commandId });
  } finally {
    await nats.close();
  }
}

function isProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // no such process
  }
}

test("a server that was stopped has its store when it starts again, on the port it is given", async () => {
  const first = await start();
  expect(first.url).toBe(`nats://127.0.0.1:${first.port}`);
  expect(await append(first.url, "1")).toBe(1);
  const { pid, port } = first;
  await first[Symbol.asyncDispose]();
  expect(() => process.kill(pid as number, 0)).toThrow("ESRCH");
  await using second = await start({ port });
  expect(second.port).toBe(port);
  expect(await append(second.url, "2")).toBe(2);
});

test("a server that dies is started again, on the same port and store", async () => {
  await using server = await start({ restart: true });
  expect(await append(server.url, "1")).toBe(1);
  for (let round = 2; round <= 3; round++) {
    const nats = await connectNats(server.url, { name: "watch" });
    const lost = new Promise<void>((done) => onDisconnect(nats, done));
    const { pid } = server;
    process.kill(pid as number, "SIGKILL");
    await lost;
    await nats.close();
    expect(await append(server.url, `${round}`)).toBe(round);
    expect(server.pid).not.toBe(pid);
  }
});

test("only its owner may read the configuration and the folder's files", async () => {
  await using server = await start();
  expect(server.pid).toBeGreaterThan(0);
  for (const file of ["nats.conf", "nats-server.log", "nats-server.pid"]) {
    expect(statSync(join(folder, file)).mode & 0o077).toBe(0);
  }
});

test("a second server on the same folder is refused while the first runs", async () => {
  await using _first = await start();
  await expect(start()).rejects.toMatchObject({
    kind: "unavailable",
    code: "log.unavailable",
    rawMessage: `${folder} is in use by process ${process.pid} and its nats-server; end that one first`,
  });
});

test("a server whose owner was killed is ended, and its store goes on", async () => {
  await using orphan = await start();
  expect(await append(orphan.url, "1")).toBe(1);
  // What a killed owner leaves behind: a server that runs, and a note of who started it.
  const pid = orphan.pid as number;
  writeFileSync(join(folder, "nats-server.pid"), `${pid} ${PID_OF_NOBODY}\n`);
  await using next = await start();
  // It has ended; that it is gone is told to its parent, which here is this test, a moment later.
  await expect.poll(() => isProcess(pid)).toBe(false);
  expect(await append(next.url, "2")).toBe(2);
});

test("a server that cannot run is reported with what it says", async () => {
  await using server = await start();
  const other = mkdtempSync(join(tmpdir(), "weft-nats-server-"));
  const options = { program, folder: other, log: silentLogger };
  await expect(startNatsServer({ ...options, port: server.port })).rejects.toMatchObject({
    code: "log.unavailable",
    rawMessage: expect.stringContaining("address already in use"),
  });
  const absent = join(other, "no-such-program");
  await expect(startNatsServer({ ...options, program: absent })).rejects.toMatchObject({
    code: "log.unavailable",
    rawMessage: expect.stringContaining("ENOENT"),
  });
  rmSync(other, { recursive: true, force: true });
});
