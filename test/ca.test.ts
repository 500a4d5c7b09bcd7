// The CA on real sockets and a real nats-server: who gets a certificate, and what the log says of it.

import { execFileSync, spawnSync } from "node:child_process";
import { createPrivateKey, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type SecureVersion } from "node:tls";
import { dispatch, GRPC_STATUS } from "@weft/core/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  ask,
  type CaWorld,
  call,
  leafOf,
  makeRequest,
  openSession,
  type Replica,
  refuseOthersThanControlPlane,
  serialOf,
  startCaWorld,
  TRUST_DOMAIN,
} from "./world/ca.ts";

const REVIEWS = `spiffe://${TRUST_DOMAIN}/ns/default/sa/reviews`;
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

let world: CaWorld;
let first: Replica;
let second: Replica;

beforeAll(async () => {
  world = await startCaWorld();
  [first, second] = await Promise.all([world.startReplica("one"), world.startReplica("two")]);
});

afterAll(() => world[Symbol.asyncDispose]());

test("a token buys a certificate for its workload, whatever the request calls itself", async () => {
  const { csr, key } = await makeRequest();
  const token = await world.createToken("reviews");
  const chain = await ask(first, csr, { credential: { token }, ttlSeconds: 3_600 });
  const leaf = leafOf(chain);
  expect([leaf.subjectAltName, leaf.subject]).toEqual([`URI:${REVIEWS}`, undefined]);
  expect(leaf.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBe(3_660_000);
  expect([chain.length, chain[2]]).toEqual([3, first.ca.roots()[0]]);
  const event = (await world.issued()).find(({ serial }) => serial === serialOf(leaf));
  expect(event).toMatchObject({
    mesh: world.mesh,
    spiffeId: REVIEWS,
    attestor: "join_token",
    replica: "one",
    requestedTtlSeconds: 3_600n,
  });
  expect(leaf.raw.equals(event?.certificateDer ?? new Uint8Array())).toBe(true);
});

test("a certificate renews itself on any replica, and only under its own name", async () => {
  const old = await makeRequest();
  const credential = { token: await world.createToken("reviews") };
  const chain = await ask(first, old.csr, { credential });
  const renewed = await makeRequest();
  const next = await ask(second, renewed.csr, {
    credential: { key: old.key, cert: chain.slice(0, 2).join("") },
  });
  const leaf = leafOf(next);
  expect(leaf.subjectAltName).toBe(`URI:${REVIEWS}`);
  expect(leaf.checkPrivateKey(createPrivateKey(renewed.key))).toBe(true);
  expect((await world.issued()).find(({ serial }) => serial === serialOf(leaf))).toMatchObject({
    attestor: "x509",
    principal: REVIEWS,
    replica: "two",
  });
});

test("a token is good for one key: the same key may come again, another one may not", async () => {
  const credential = { token: await world.createToken("reviews") };
  const [mine, thief] = [await makeRequest(), await makeRequest()];
  const before = await ask(first, mine.csr, { credential });
  const again = await ask(second, mine.csr, { credential });
  expect(leafOf(again).subjectAltName).toBe(leafOf(before).subjectAltName);
  await expect(ask(second, thief.csr, { credential })).rejects.toMatchObject({
    status: GRPC_STATUS.permissionDenied,
    message: "ca.denied: the join token was used by another key",
  });
});

test("of a hundred keys that use one token at once on two replicas, one wins", async () => {
  const token = await world.createToken("details");
  const requests = await Promise.all(Array.from({ length: 100 }, makeRequest));
  const answers = await Promise.allSettled(
    requests.map(({ csr }, index) =>
      ask(index % 2 === 0 ? first : second, csr, { credential: { token } }),
    ),
  );
  const refused = answers.flatMap((answer) =>
    answer.status === "rejected" ? [answer.reason.message] : [],
  );
  expect(refused).toEqual(
    Array.from({ length: 99 }, () => "ca.denied: the join token was used by another key"),
  );
  const issued = (await world.issued()).filter(({ spiffeId }) => spiffeId.endsWith("/details"));
  expect(issued).toHaveLength(1);
  const uses = (await world.authority()).filter(
    (kind) =>
      kind.case === "joinTokenUsed" &&
      issued[0]?.spkiSha256.join() === kind.value.spkiSha256.join(),
  );
  expect(uses).toHaveLength(1);
});

test("nobody gets a certificate without proof", async () => {
  const { csr } = await makeRequest();
  const refusals = {
    "the call has neither a client certificate nor a join token": undefined,
    "the join token is unknown": { token: randomBytes(32).toString("base64url") },
  };
  for (const [message, credential] of Object.entries(refusals)) {
    await expect(ask(first, csr, { credential })).rejects.toMatchObject({
      status: GRPC_STATUS.permissionDenied,
      message: `ca.denied: ${message}`,
    });
  }
});

test("a request that another key signed does not spend the token", async () => {
  const credential = { token: await world.createToken("reviews") };
  const { csr } = await makeRequest();
  const lines = csr.split("\n");
  const der = Buffer.from(lines.filter((line) => !line.startsWith("-")).join(""), "base64");
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  const forged = `${lines[0]}\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
  await expect(ask(first, forged, { credential })).rejects.toMatchObject({
    status: GRPC_STATUS.invalidArgument,
    message: "ca.bad_csr: the request is refused: it is not signed by its own key",
  });
  expect(await ask(first, csr, { credential })).toHaveLength(3);
});

test("a certificate of another mesh, or of a signing key, proves nothing", async () => {
  await using other = await startCaWorld();
  const stranger = await other.startReplica("stranger");
  const { csr, key } = await makeRequest();
  const chain = await ask(stranger, csr, {
    credential: { token: await other.createToken("reviews") },
  });
  const credential = { key, cert: chain.slice(0, 2).join("") };
  expect(await ask(stranger, csr, { credential })).toHaveLength(3);
  await expect(ask(first, csr, { credential })).rejects.toMatchObject({
    status: GRPC_STATUS.permissionDenied,
    message: "ca.denied: the call has neither a client certificate nor a join token",
  });
});

test("the control plane's own certificate is not to be had by renewal", async () => {
  const { key, cert } = first.ca.serving.current();
  const { csr } = await makeRequest();
  await expect(ask(second, csr, { credential: { key, cert } })).rejects.toMatchObject({
    status: GRPC_STATUS.permissionDenied,
  });
});

test("a connection that outlives its certificate renews nothing", async () => {
  let nowMs = Date.now();
  const clock = { now: () => nowMs };
  const replica = await world.startReplica("late", {}, clock);
  const { csr, key } = await makeRequest();
  const token = await world.createToken("reviews");
  const chain = await ask(replica, csr, { credential: { token }, ttlSeconds: 3_600 });
  const session = openSession(replica, { key, cert: chain.slice(0, 2).join("") });
  expect(await call(session, csr)).toHaveLength(3);
  nowMs += 3_600_000;
  await expect(call(session, csr)).rejects.toMatchObject({
    message: "ca.denied: the client certificate has expired",
  });
  session.destroy();
});

test("an identity gets 300 certificates a minute, and an address 600 answers", async () => {
  const nowMs = Date.now();
  const replica = await world.startReplica("limited", {}, { now: () => nowMs });
  const { csr, key } = await makeRequest();
  const token = await world.createToken("greedy");
  const chain = await ask(replica, csr, { credential: { token } });
  const session = openSession(replica, { key, cert: chain.slice(0, 2).join("") });
  const outcomes = await Promise.all(
    Array.from({ length: 400 }, () =>
      call(session, csr).then(
        () => "issued",
        (error: Error) => error.message,
      ),
    ),
  );
  const greedy = `spiffe://${TRUST_DOMAIN}/ns/default/sa/greedy`;
  const busy = `ca.busy: more than 300 requests a minute from identity ${greedy}`;
  expect(outcomes.filter((outcome) => outcome === "issued")).toHaveLength(299);
  expect(outcomes.filter((outcome) => outcome === busy)).toHaveLength(101);
  const anyone = openSession(replica);
  for (let request = 1; request < 600; request++) {
    await expect(call(anyone, csr)).rejects.toThrow("ca.denied");
  }
  await expect(call(anyone, csr)).rejects.toThrow(
    "ca.busy: more than 600 requests a minute from address 127.0.0.1",
  );
  // That is the strangers' limit: who has a certificate is not held up by it.
  await expect(call(session, csr)).rejects.toThrow(busy);
  session.destroy();
  anyone.destroy();
});

test("no certificate is given over plaintext", async () => {
  const listener = createServer();
  listener.on("stream", (stream, headers) => dispatch(first.ca.routes, stream, headers));
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const session = connect(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
  const { csr } = await makeRequest();
  const bearer = await world.createToken("reviews");
  await expect(call(session, csr, { bearer })).rejects.toMatchObject({
    message: "ca.denied: certificates are only given over TLS",
  });
  session.destroy();
  listener.close();
  await once(listener, "close");
});

test("leaves of all replicas lead to the one root, as OpenSSL judges strictly", async (context) => {
  if (!hasOpenssl) return context.skip("openssl is not on PATH");
  const folder = mkdtempSync(join(tmpdir(), "weft-openssl-"));
  const path = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  try {
    const root = path("root.pem", first.ca.roots().join(""));
    for (const [replica, purpose] of [
      [first, "sslserver"],
      [second, "sslclient"],
    ] as const) {
      const { csr } = await makeRequest();
      const token = await world.createToken("reviews");
      const [leaf = "", intermediate = ""] = await ask(replica, csr, { credential: { token } });
      const untrusted = path("intermediate.pem", intermediate);
      const verify = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", root];
      const file = path("leaf.pem", leaf);
      const args = [...verify, "-untrusted", untrusted, file];
      expect(execFileSync("openssl", args, { encoding: "utf8" })).toBe(`${file}: OK\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.each(["TLSv1.2", "TLSv1.3"] as const)("no %s session is resumed", async (version) => {
  const whole = await handshake(version, undefined);
  const again = await handshake(version, whole.session);
  expect([whole.reused, again.reused]).toEqual([false, false]);
});

/** One TLS handshake, with the session that the server gave to resume, if it gave one. */
async function handshake(
  version: SecureVersion,
  session: Buffer | undefined,
): Promise<{ session: Buffer | undefined; reused: boolean }> {
  const socket = connectTls({
    host: "127.0.0.1",
    port: first.port,
    ca: [...first.ca.roots()],
    checkServerIdentity: refuseOthersThanControlPlane,
    minVersion: version,
    maxVersion: version,
    ALPNProtocols: ["h2"],
    ...(session === undefined ? {} : { session }),
  });
  let given: Buffer | undefined;
  socket.on("session", (offered) => {
    given = offered;
  });
  // HTTP/2's first frame comes after any ticket that TLS 1.3 sends.
  await once(socket, "data");
  const reused = socket.isSessionReused();
  socket.destroy();
  return { session: given, reused };
}
