import "reflect-metadata";
import { createHash, randomBytes, randomUUID, webcrypto, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect, createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary } from "@bufbuild/protobuf";
import * as x509 from "@peculiar/x509";
import { type CaOptions, type CaRole, servingTlsOptions, startCa } from "@weft/ca/main";
import {
  type CaLog,
  connectNats,
  type Entry,
  followAuthority,
  openCaLog,
} from "@weft/core/journal";
import { decideCreateToken } from "@weft/core/mesh";
import {
  type Clock,
  callUnary,
  createMonitor,
  dispatch,
  type Logger,
  type NatsServer,
  silentLogger,
  systemClock,
} from "@weft/core/runtime";
import {
  IstioCertificateRequestSchema,
  IstioCertificateResponseSchema,
} from "@weft/proto/istio/v1/auth/ca_pb.ts";
import {
  type AuthorityChange,
  AuthorityChangeSchema,
  type CertificateIssued,
  CertificateIssuedSchema,
} from "@weft/proto/weft/event/v1/ca_pb.ts";
import { startNats } from "./nats.ts";

export const TRUST_DOMAIN = "weft.test";

export const CREATE_CERTIFICATE = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

/** One CA replica behind a TLS door of its own, as `weft serve` puts it. */
export interface Replica extends AsyncDisposable {
  readonly ca: CaRole;
  readonly port: number;
}

/** A mesh's CA log on a real nats-server, and replicas on it. */
export interface CaWorld extends AsyncDisposable {
  readonly mesh: string;
  readonly server: NatsServer;
  readonly log: CaLog;
  /** Where replicas keep the root unless told otherwise. */
  readonly folder: string;
  /** Every line that a replica logged, as JSON. */
  readonly lines: readonly string[];
  /** Every token that was made. */
  readonly tokens: readonly string[];
  startReplica(name: string, options?: Partial<CaOptions>, clock?: Clock): Promise<Replica>;
  /** A new token for a workload in `default`, as the API makes it. */
  createToken(serviceAccount: string): Promise<string>;
  entries(): Promise<readonly Entry[]>;
  issued(): Promise<readonly CertificateIssued[]>;
  authority(): Promise<readonly AuthorityChange["kind"][]>;
}

/** How long an append waits in tests: an answer that is held back should not hold the test long. */
const APPEND_TIMEOUT_MS = 1_000;

const ANSWER_TIMEOUT_MS = 20_000;

export async function startCaWorld(options: { readonly restart?: boolean } = {}): Promise<CaWorld> {
  await using starting = new AsyncDisposableStack();
  const mesh = `mesh-${randomUUID()}`;
  const folder = mkdtempSync(join(tmpdir(), "weft-ca-"));
  starting.defer(() => rmSync(folder, { recursive: true, force: true }));
  const server = starting.use(await startNats(options));
  const nats = await connectNats(server.url, { name: "ca-test" });
  starting.defer(() => nats.close());
  const log = await openCaLog(nats, mesh, { timeoutMs: APPEND_TIMEOUT_MS });
  const lines: string[] = [];
  const tokens: string[] = [];
  const logger = recordingLogger(lines);
  const held = starting.move();
  const entries = () => readLog(log);
  return {
    mesh,
    server,
    log,
    folder,
    lines,
    tokens,
    async startReplica(replica, options = {}, clock = systemClock) {
      const monitor = createMonitor();
      const context = { mesh, replica, nats, clock, log: logger, monitor };
      const ca = await startCa(context, {
        dataFolder: folder,
        trustDomain: TRUST_DOMAIN,
        issued: log.issued,
        authority: log.authority,
        ...options,
      });
      return held.use(await serve(ca));
    },
    async createToken(serviceAccount) {
      const token = randomBytes(32).toString("base64url");
      tokens.push(token);
      const tokenSha256 = createHash("sha256").update(token).digest();
      const command = { tokenSha256, namespace: "default", serviceAccount, ttlMs: 0 };
      const options = { journal: log.authority, mesh, clock: systemClock, log: silentLogger };
      await using authority = await followAuthority(options);
      await authority.change("tester", (state) =>
        decideCreateToken(state, { ...command, nowMs: Date.now() }),
      );
      return token;
    },
    entries,
    issued: async () =>
      (await entries())
        .filter(({ subject }) => subject.endsWith(".issued"))
        .map(({ payload }) => fromBinary(CertificateIssuedSchema, payload)),
    authority: async () =>
      (await entries())
        .filter(({ subject }) => subject.endsWith(".authority"))
        .map(({ payload }) => fromBinary(AuthorityChangeSchema, payload).kind),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function serve(ca: CaRole): Promise<Replica> {
  const listener = createSecureServer(servingTlsOptions(ca.serving.current()));
  listener.on("stream", (stream, headers) => dispatch(ca.routes, stream, headers));
  ca.serving.onRenew((identity) => listener.setSecureContext(servingTlsOptions(identity)));
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    ca,
    port: (listener.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise((done) => listener.close(done));
      await ca[Symbol.asyncDispose]();
    },
  };
}

function recordingLogger(lines: string[]): Logger {
  const record = (fields: object, message: string): void => {
    lines.push(JSON.stringify({ ...fields, message }));
  };
  const logger: Logger = {
    debug: record,
    info: record,
    warn: record,
    error: record,
    child: () => logger,
  };
  return logger;
}

/** What is in the log by now. */
async function readLog({ all }: CaLog): Promise<readonly Entry[]> {
  const stop = new AbortController();
  const last = await all.last();
  const entries: Entry[] = [];
  for await (const entry of all.tail({ from: 1, signal: stop.signal })) {
    entries.push(entry);
    if (entry.revision === last) stop.abort();
  }
  return entries;
}

export interface CertificateRequest {
  /** PEM. */
  readonly csr: string;
  /** PKCS#8, PEM. */
  readonly key: string;
}

/** A request for a new key that asks for names it should not get. */
export async function makeRequest(): Promise<CertificateRequest> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: "CN=admin,O=weft-system",
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: "url", value: `spiffe://${TRUST_DOMAIN}/ns/weft-system/sa/weft` },
        { type: "dns", value: "admin.weft.test" },
      ]),
    ],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = `-----BEGIN PRIVATE KEY-----\n${der.toString("base64")}\n-----END PRIVATE KEY-----\n`;
  return { csr: `${request.toString("pem")}\n`, key };
}

/** What a caller shows: a token, or a key with its chain. */
export type Credential =
  | { readonly token: string }
  | { readonly key: string; readonly cert: string }
  | undefined;

/** Asks a replica for a certificate over a connection of its own; answers the chain, leaf first. */
export async function ask(
  replica: Replica,
  csr: string,
  options: { readonly credential?: Credential; readonly ttlSeconds?: number } = {},
): Promise<readonly string[]> {
  const { credential, ttlSeconds = 0 } = options;
  const session = openSession(replica, credential);
  const bearer = credential !== undefined && "token" in credential ? credential.token : undefined;
  try {
    return await call(session, csr, { bearer, ttlSeconds });
  } finally {
    session.destroy();
  }
}

/** Connects as an agent does, with a client certificate where the credential is one. */
export function openSession({ port, ca }: Replica, credential?: Credential): ClientHttp2Session {
  const own = credential !== undefined && "key" in credential ? credential : {};
  const checkServerIdentity = refuseOthersThanControlPlane;
  const tls = { ...own, ca: [...ca.roots()], checkServerIdentity };
  const session = connect(`https://127.0.0.1:${port}`, tls);
  // A session that fails ends its calls, and they say so.
  session.on("error", () => {});
  return session;
}

/** Calls CreateCertificate on a session. */
export async function call(
  session: ClientHttp2Session,
  csr: string,
  options: { readonly bearer?: string | undefined; readonly ttlSeconds?: number } = {},
): Promise<readonly string[]> {
  const { bearer, ttlSeconds = 0 } = options;
  const { certChain } = await callUnary(session, CREATE_CERTIFICATE, {
    input: IstioCertificateRequestSchema,
    output: IstioCertificateResponseSchema,
    request: create(IstioCertificateRequestSchema, { csr, validityDuration: BigInt(ttlSeconds) }),
    headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
    timeoutMs: ANSWER_TIMEOUT_MS,
  });
  return certChain;
}

/** How agents know the control plane: by its SPIFFE ID, not by a host name. */
export function refuseOthersThanControlPlane(
  _: string,
  { subjectaltname }: { readonly subjectaltname?: string },
): Error | undefined {
  const expected = `URI:spiffe://${TRUST_DOMAIN}/ns/weft-system/sa/weft`;
  return subjectaltname === expected ? undefined : new Error(`the server is ${subjectaltname}`);
}

export function leafOf(chain: readonly string[]): X509Certificate {
  return new X509Certificate(chain[0] ?? "");
}

/** The second certificate of a chain in PEM: its base64 in one line. */
export function intermediateOf(pem: string): string {
  const [base64 = ""] = (pem.split("-----BEGIN CERTIFICATE-----")[2] ?? "").split("-----END");
  return base64.replace(/\s/g, "");
}

/** As the log writes it. */
export function serialOf(certificate: X509Certificate): string {
  return certificate.serialNumber.toLowerCase();
}
