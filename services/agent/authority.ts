import { type ClientHttp2Session, connect } from "node:http2";
import type { PeerCertificate } from "node:tls";
import { create } from "@bufbuild/protobuf";
import { WeftError } from "@weft/core/error";
import { callUnary, GRPC_STATUS, GrpcError } from "@weft/core/runtime";
import {
  IstioCertificateRequestSchema,
  IstioCertificateResponseSchema,
} from "@weft/proto/istio/v1/auth/ca_pb.ts";
import { type Identity, urisOf } from "./certificate.ts";

const CREATE_CERTIFICATE = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

/** An answer waits for the CA's log; a CA that needs longer is better asked again. */
const ANSWER_MS_MAX = 15_000;

/** What the CA answers when asking again would not help. */
const REFUSALS: ReadonlySet<number> = new Set([
  GRPC_STATUS.permissionDenied,
  GRPC_STATUS.unauthenticated,
  GRPC_STATUS.invalidArgument,
]);

export interface AuthorityOptions {
  /** `host:port` of the control plane's TLS door. */
  readonly server: string;
  /** Whom the control plane must prove to be. */
  readonly serverSpiffeId: string;
  /** Of the certificate that is asked for. */
  readonly ttlSeconds: number;
}

export interface CertificateRequest {
  /** PKCS#10, PEM. */
  readonly csr: string;
  /** What the server's certificate must lead to, PEM. */
  readonly rootsPem: readonly string[];
  /** Proves who asks: the certificate of now, or a join token where there is none. */
  readonly proof: Identity | { readonly token: string };
  readonly signal: AbortSignal;
}

/**
 * Asks the control plane for a certificate, on a connection of its own.
 *
 * @returns PEM, one certificate each: leaf first, roots last.
 * @throws WeftError denied `agent.refused`, or unavailable `agent.unreachable`
 */
export async function requestCertificate(
  options: AuthorityOptions,
  request: CertificateRequest,
): Promise<readonly string[]> {
  const { server, ttlSeconds } = options;
  const { csr, proof } = request;
  const headers: Record<string, string> =
    "token" in proof ? { authorization: `Bearer ${proof.token}` } : {};
  const session = open(options, request);
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(ANSWER_MS_MAX)]);
  try {
    const broken = new Promise<never>((_, fail) => {
      session.once("error", fail);
      session.once("close", () => fail(new Error("the connection was closed")));
      const abort = (): void => fail(new Error(`no answer in ${ANSWER_MS_MAX} ms`));
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
    });
    const call = callUnary(session, CREATE_CERTIFICATE, {
      input: IstioCertificateRequestSchema,
      output: IstioCertificateResponseSchema,
      request: create(IstioCertificateRequestSchema, { csr, validityDuration: BigInt(ttlSeconds) }),
      headers,
      timeoutMs: ANSWER_MS_MAX,
    });
    // What is settled second has nobody to tell.
    call.catch(() => {});
    broken.catch(() => {});
    const { certChain } = await Promise.race([call, broken]);
    return certChain;
  } catch (cause) {
    throw explain(server, cause);
  } finally {
    session.destroy();
  }
}

function open(
  options: AuthorityOptions,
  { proof, rootsPem }: CertificateRequest,
): ClientHttp2Session {
  const session = connect(`https://${options.server}`, {
    ca: [...rootsPem],
    minVersion: "TLSv1.3",
    ...("token" in proof ? {} : { key: proof.keyPem, cert: proof.chainPem }),
    checkServerIdentity: (_host, certificate) => checkServer(certificate, options.serverSpiffeId),
  });
  // The session may fail once more while it is torn down.
  session.on("error", () => {});
  return session;
}

/** The control plane has no DNS name: one URI says who it is, and any other is somebody else. */
function checkServer(certificate: PeerCertificate, expected: string): Error | undefined {
  const uris = urisOf(certificate.subjectaltname);
  if (uris.length === 1 && uris[0] === expected) return undefined;
  return new Error(`the server is ${uris.join(", ") || "nobody"}, not ${expected}`);
}

function explain(server: string, cause: unknown): WeftError {
  const why = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof GrpcError && REFUSALS.has(cause.status)) {
    return new WeftError("denied", "agent.refused", `${server} gives no certificate: ${why}`, {
      cause,
    });
  }
  const message = `no certificate from ${server}: ${why}`;
  return new WeftError("unavailable", "agent.unreachable", message, { cause });
}
