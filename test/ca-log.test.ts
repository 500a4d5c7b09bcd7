// What the CA keeps: its log, its root, and what other replicas know, on a real nats-server.

import { createPrivateKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert } from "@weft/core/error";
import { GRPC_STATUS } from "@weft/core/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  ask,
  type CaWorld,
  call,
  intermediateOf,
  leafOf,
  makeRequest,
  openSession,
  type Replica,
  serialOf,
  startCaWorld,
} from "./world/ca.ts";
import { standStill } from "./world/nats.ts";

let world: CaWorld;
let first: Replica;
let second: Replica;

beforeAll(async () => {
  world = await startCaWorld();
  // Both at once, on one folder: they must agree on one root.
  [first, second] = await Promise.all([world.startReplica("one"), world.startReplica("two")]);
});

afterAll(() => world[Symbol.asyncDispose]());

test("replicas that start together make one root, readable by its owner only", async () => {
  expect(first.ca.roots()).toHaveLength(1);
  expect(second.ca.roots()).toEqual(first.ca.roots());
  const kinds = (await world.authority()).map((kind) => kind.case);
  expect(kinds.slice(0, 3)).toEqual([
    "rootActivated",
    "intermediateActivated",
    "intermediateActivated",
  ]);
  const modes = ["", "root", "root/key", "root/certificate.pem"].map(
    (path) => statSync(join(world.folder, path)).mode & 0o777,
  );
  expect(modes).toEqual([0o700, 0o700, 0o600, 0o600]);
});

test("a certificate that the log has not acknowledged does not leave", async () => {
  const { csr, key } = await makeRequest();
  const cert = (await ask(first, csr, { credential: { token: await world.createToken("slow") } }))
    .slice(0, 2)
    .join("");
  const before = (await world.issued()).length;
  const { pid } = world.server;
  assert(pid !== undefined, "the server runs");
  await standStill(world.server);
  try {
    await expect(ask(first, csr, { credential: { key, cert } })).rejects.toMatchObject({
      status: GRPC_STATUS.unavailable,
      message: expect.stringContaining("log.outcome_unknown"),
    });
  } finally {
    process.kill(pid, "SIGCONT");
  }
  // What was sent while the server stood still is stored once: the log may know more than callers.
  const leaf = leafOf(await ask(first, csr, { credential: { key, cert } }));
  const issued = await world.issued();
  expect(issued.map(({ serial }) => serial)).toContain(serialOf(leaf));
  expect(issued.length).toBeLessThanOrEqual(before + 2);
  expect(new Set(issued.map(({ id }) => id)).size).toBe(issued.length);
});

test("every certificate that anyone received is in the log, also when nats-server is killed", async () => {
  await using shaky = await startCaWorld({ restart: true });
  const replica = await shaky.startReplica("one");
  const { csr, key } = await makeRequest();
  const token = await shaky.createToken("reviews");
  const chain = await ask(replica, csr, { credential: { token } });
  const session = openSession(replica, { key, cert: chain.slice(0, 2).join("") });
  const received = new Set([serialOf(leafOf(chain))]);
  let refused = 0;
  const renew = async (): Promise<void> => {
    try {
      received.add(serialOf(leafOf(await call(session, csr))));
    } catch {
      refused++; // counted: what was refused may or may not be in the log
    }
  };
  const wave = (size: number): Promise<void>[] => Array.from({ length: size }, renew);
  const early = wave(60);
  await early[0];
  const { pid } = shaky.server;
  assert(pid !== undefined, "the server runs");
  process.kill(pid, "SIGKILL");
  await Promise.all([...early, ...wave(60)]);
  expect(received.size + refused).toBe(121);
  const issued = async (): Promise<string[]> =>
    (await shaky.issued().catch(() => [])).map(({ serial }) => serial);
  await expect.poll(issued, { timeout: 20_000 }).toEqual(expect.arrayContaining([...received]));
  expect(await call(session, csr)).toHaveLength(3);
  session.destroy();
  const ids = (await shaky.issued()).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test("a machine without the mesh's root starts no CA", async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "weft-ca-"));
  try {
    await expect(world.startReplica("three", { dataFolder: elsewhere })).rejects.toMatchObject({
      code: "ca.other_root",
    });
    await using other = await startCaWorld();
    await other.startReplica("stranger");
    await expect(world.startReplica("three", { dataFolder: other.folder })).rejects.toMatchObject({
      code: "ca.other_root",
    });
  } finally {
    rmSync(elsewhere, { recursive: true, force: true });
  }
});

test("a replica that starts anew knows which tokens are spent", async () => {
  const credential = { token: await world.createToken("reviews") };
  await ask(first, (await makeRequest()).csr, { credential });
  const third = await world.startReplica("three");
  await expect(ask(third, (await makeRequest()).csr, { credential })).rejects.toMatchObject({
    message: "ca.denied: the join token was used by another key",
  });
});

test("a token is good on every replica the moment after it was made", async () => {
  for (let round = 0; round < 20; round++) {
    const credential = { token: await world.createToken("reviews") };
    const { csr } = await makeRequest();
    expect(await ask(round % 2 === 0 ? first : second, csr, { credential })).toHaveLength(3);
  }
});

test("the intermediate and the serving certificate renew themselves at half of their life", async () => {
  const brief = await world.startReplica("brief", { intermediateTtlSeconds: 4 });
  const { cert } = brief.ca.serving.current();
  const renewed = await new Promise<string>((done) => {
    brief.ca.serving.onRenew((identity) => {
      // A leaf of the second intermediate, not only a second leaf of the first.
      if (intermediateOf(identity.cert) !== intermediateOf(cert)) done(identity.cert);
    });
  });
  const activated = (await world.authority()).flatMap((kind) =>
    kind.case === "intermediateActivated" && kind.value.replica === "brief"
      ? [Buffer.from(kind.value.certificateDer).toString("base64")]
      : [],
  );
  expect(activated).toContain(intermediateOf(renewed));
  expect(activated).toContain(intermediateOf(cert));
  const { csr } = await makeRequest();
  const chain = await ask(brief, csr, {
    credential: { token: await world.createToken("reviews") },
  });
  const leaf = leafOf(chain);
  expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBeLessThanOrEqual(64_000);
});

test("neither the log nor what is printed holds a key or a token", async () => {
  const entries = await world.entries();
  expect(world.lines.some((line) => line.includes("csr refused"))).toBe(true);
  const written = [
    ...world.lines.map((line) => Buffer.from(line)),
    ...entries.map(({ payload }) => Buffer.from(payload)),
  ];
  const rootKey = readFileSync(join(world.folder, "root/key"), "utf8");
  const secrets = [
    ...world.tokens.map((token) => Buffer.from(token)),
    ...[rootKey, first.ca.serving.current().key, second.ca.serving.current().key].map(scalarOf),
    Buffer.from("PRIVATE KEY"),
  ];
  expect(written.some((bytes) => secrets.some((secret) => bytes.includes(secret)))).toBe(false);
});

/** The private number of a key: what must never be seen. */
function scalarOf(pem: string): Buffer {
  return Buffer.from(createPrivateKey(pem).export({ format: "jwk" }).d ?? "", "base64url");
}
