import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import { once } from "node:events";
import { createSecureServer } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { create } from "@bufbuild/protobuf";
import * as x509 from "@peculiar/x509";
import { WeftError } from "@weft/core/error";
import { dispatch, type GrpcCall, systemClock, unary } from "@weft/core/runtime";
import {
  createDiscoveryServer,
  createResponseEncoder,
  discoveryServerOptions,
  type OpenStream,
  type Snapshot,
} from "@weft/core/stream";
import {
  type IstioCertificateRequest,
  IstioCertificateResponseSchema,
  IstioCertificateService,
} from "@weft/proto/istio/v1/auth/ca_pb.ts";

export const TRUST_DOMAIN = "mesh.test";

/** One answered request for a certificate. */
export interface Issuance {
  /** Lower-case hex. */
  readonly serial: string;
  /** `token …`, or the SPIFFE ID of the client's certificate. */
  readonly proof: string;
}

/** A CA and an ADS server behind one TLS door, as small as a test of the agent needs. */
export interface IdentityServer extends AsyncDisposable {
  readonly address: string;
  readonly rootPem: string;
  readonly issued: readonly Issuance[];
  /** SPIFFE IDs of the clients that have opened a stream of configuration, one each. */
  readonly proxies: readonly (string | undefined)[];
  /** Tokens that are taken, each with whom it is for. */
  readonly tokens: Map<string, string>;
}

export interface IdentityServerOptions {
  /** What each proxy gets. */
  readonly snapshot?: Snapshot;
  /** Life of each certificate. */
  readonly ttlMs?: number;
  /** Who the server says it is. */
  readonly spiffeId?: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** As CAs do for clients whose clocks are behind; longer than the shortest lives in tests. */
const BACKDATED_MS = 60_000;

const DAY_MS = 86_400_000;

x509.cryptoProvider.set(webcrypto);

export async function startIdentityServer(
  options: IdentityServerOptions = {},
): Promise<IdentityServer> {
  const root = await createRoot();
  const issued: Issuance[] = [];
  const proxies: (string | undefined)[] = [];
  const tokens = new Map<string, string>();
  const spiffeId = options.spiffeId ?? `spiffe://${TRUST_DOMAIN}/ns/weft-system/sa/weft`;
  const own = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const ownCertificate = await root.issue({ uri: spiffeId, key: own.publicKey, ttlMs: DAY_MS });

  async function createCertificate(request: IstioCertificateRequest, call: GrpcCall) {
    const { uri, proof } = attest(call, tokens);
    const csr = new x509.Pkcs10CertificateRequest(request.csr);
    if (!(await csr.verify())) throw new WeftError("invalid", "ca.bad_csr", "bad signature");
    const ttlMs = options.ttlMs ?? DAY_MS;
    const leaf = await root.issue({ uri, key: csr.publicKey, ttlMs });
    issued.push({ serial: leaf.serialNumber, proof });
    const certChain = [leaf.toString("pem"), root.certificate.toString("pem")];
    return create(IstioCertificateResponseSchema, { certChain });
  }

  const discovery = createDiscoveryServer({
    clock: systemClock,
    encoder: createResponseEncoder("test"),
    drainMs: 0,
  });
  const routes = {
    "/istio.v1.auth.IstioCertificateService/CreateCertificate": unary(
      IstioCertificateService.method.createCertificate,
      createCertificate,
    ),
    ...discovery.aggregated({
      open(stream: OpenStream) {
        proxies.push(stream.peer.spiffeId);
        stream.update(options.snapshot ?? new Map(), 1);
        return {};
      },
    }),
  };
  const sockets = new Set<Socket>();
  const server = createSecureServer({
    ...discoveryServerOptions,
    key: await exportKey(own.privateKey),
    cert: ownCertificate.toString("pem"),
    ca: root.certificate.toString("pem"),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("session", (session) => session.on("error", () => {}));
  server.on("stream", (stream, headers) => dispatch(routes, stream, headers));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    rootPem: root.certificate.toString("pem"),
    issued,
    proxies,
    tokens,
    async [Symbol.asyncDispose]() {
      await discovery[Symbol.asyncDispose]();
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function attest(
  { peer, headers }: GrpcCall,
  tokens: ReadonlyMap<string, string>,
): { readonly uri: string; readonly proof: string } {
  if (peer.spiffeId !== undefined) return { uri: peer.spiffeId, proof: peer.spiffeId };
  const token = headers.authorization?.replace(/^Bearer /, "") ?? "";
  const uri = tokens.get(token);
  if (uri === undefined) throw new WeftError("denied", "ca.denied", "no such token");
  return { uri, proof: `token ${token}` };
}

interface Root {
  readonly certificate: x509.X509Certificate;
  issue(leaf: {
    readonly uri: string;
    readonly key: webcrypto.CryptoKey | x509.PublicKey;
    readonly ttlMs: number;
  }): Promise<x509.X509Certificate>;
}

async function createRoot(): Promise<Root> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: "CN=test root",
    notBefore: new Date(Date.now() - BACKDATED_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  return {
    certificate,
    issue: ({ uri, key, ttlMs }) =>
      x509.X509CertificateGenerator.create({
        serialNumber: `7f${randomBytes(8).toString("hex")}`,
        subject: "",
        issuer: certificate.subject,
        notBefore: new Date(Date.now() - BACKDATED_MS),
        notAfter: new Date(Date.now() + ttlMs),
        publicKey: key,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.SubjectAlternativeNameExtension([{ type: "url", value: uri }], true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([
            x509.ExtendedKeyUsage.serverAuth,
            x509.ExtendedKeyUsage.clientAuth,
          ]),
        ],
      }),
  };
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = await webcrypto.subtle.exportKey("pkcs8", key);
  return x509.PemConverter.encode(der, "PRIVATE KEY");
}
