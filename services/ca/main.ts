// The mesh's certificate authority: attests callers, decides, logs, and only then hands out.

import { create } from "@bufbuild/protobuf";
import { assert, WeftError } from "@weft/core/error";
import type { Journal } from "@weft/core/journal";
import { type AuthorityLog, followAuthority } from "@weft/core/journal";
import { type GrpcCall, type GrpcRoutes, type RoleContext, unary } from "@weft/core/runtime";
import {
  type IstioCertificateRequest,
  type IstioCertificateResponse,
  IstioCertificateResponseSchema,
  IstioCertificateService,
} from "@weft/proto/istio/v1/auth/ca_pb.ts";
import { createAttestor, evidenceOf } from "./attest.ts";
import { createCertifier } from "./certify.ts";
import { readCsr } from "./csr.ts";
import { createIntermediate } from "./intermediate.ts";
import { type Policy, TTL_DEFAULT_SECONDS } from "./issue.ts";
import {
  ADDRESS_REQUESTS_PER_MINUTE_MAX,
  createGate,
  createRateLimit,
  IDENTITY_CERTIFICATES_PER_MINUTE_MAX,
  REQUESTS_AT_ONCE_MAX,
} from "./limits.ts";
import { openRoot, type Root } from "./root.ts";
import { createServing, type Serving } from "./serving.ts";
import { formatSpiffeId } from "./spiffe.ts";
import { pemOf } from "./x509.ts";

export { type Serving, type ServingIdentity, servingTlsOptions } from "./serving.ts";

export interface CaOptions {
  /** The machine's part of the mesh: the root lies in `root/` within, made on first use. */
  readonly dataFolder: string;
  readonly trustDomain: string;
  /** The subject `weft.<mesh>.ca.issued`. */
  readonly issued: Journal;
  /** The subject `weft.<mesh>.ca.authority`, with its own last revision. */
  readonly authority: Journal;
  /** Where a request names no time; a day if undefined. */
  readonly ttlDefaultSeconds?: number;
  /** Longer wishes are cut to it; a day if undefined. */
  readonly ttlMaxSeconds?: number;
  /** Of this replica's intermediate; a week, or three of the longest leaves, if undefined. */
  readonly intermediateTtlSeconds?: number;
  /** 32 bytes in base64 that the root key is kept under; `WEFT_CA_KEK` if undefined. */
  readonly kek?: string;
}

/** The role `ca` of a process. */
export interface CaRole extends AsyncDisposable {
  /** To be served over TLS (`servingTlsOptions`). */
  readonly routes: GrpcRoutes;
  readonly serving: Serving;
  /** What workloads trust, PEM, oldest first. */
  roots(): readonly string[];
}

/** Renewed at half of it, so that an intermediate always outlives the leaves of a normal policy. */
const INTERMEDIATE_TTL_MIN_SECONDS = 7 * 24 * 3_600;

/**
 * Starts the CA: folds the authority, opens the root, logs this replica's intermediate, and makes the
 * process's own certificate.
 *
 * @throws WeftError unavailable `ca.bad_root`, missing or conflict `ca.other_root`, and what the
 *   journals throw.
 */
export async function startCa(context: RoleContext, options: CaOptions): Promise<CaRole> {
  const { mesh, replica, clock, log, monitor } = context;
  const policy = policyOf(options);
  await using starting = new AsyncDisposableStack();
  const authority = starting.use(
    await followAuthority({ journal: options.authority, mesh, clock, log }),
  );
  const root = await activateRoot(context, options, authority);
  const roots = (): readonly string[] =>
    authority.state.roots.map(({ certificateDer }) => pemOf(certificateDer));
  const ttlMs = 1_000 * (options.intermediateTtlSeconds ?? intermediateTtlSeconds(policy));
  const intermediate = starting.use(
    await createIntermediate({ replica, root, authority, ttlMs, clock, log }),
  );
  const certify = createCertifier({
    mesh,
    replica,
    policy,
    issued: options.issued,
    issuer: () => intermediate.current(),
    rootPem: root.pem,
    clock,
  });
  const { trustDomain } = policy;
  const serving = starting.use(await createServing({ trustDomain, certify, roots, clock, log }));
  const attest = createAttestor({ authority, trustDomain, replica, now: () => clock.now() });
  monitor.addReadiness("ca", () => {
    if (authority.frozen !== undefined) return authority.frozen.message;
    const isOver = intermediate.current().notAfterMs <= clock.now();
    return isOver ? "the intermediate certificate has expired" : undefined;
  });
  const held = starting.move();
  return {
    routes: routesOf(context, { attest, certify }),
    serving,
    roots,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** The root of the mesh from this machine's folder, made and logged by whoever comes first. */
async function activateRoot(
  { replica, clock }: RoleContext,
  { dataFolder, trustDomain, kek = process.env["WEFT_CA_KEK"] }: CaOptions,
  authority: AuthorityLog,
): Promise<Root> {
  const root = await openRoot({
    folder: dataFolder,
    trustDomain,
    clock,
    kek,
    create: authority.state.roots.length === 0,
  });
  const { certificateDer } = root;
  await authority.change(`replica:${replica}`, ({ roots }) => {
    if (roots.some((each) => certificateDer.equals(each.certificateDer))) return undefined;
    if (roots.length === 0) return { case: "rootActivated", value: { certificateDer } };
    const message = `the mesh has another root than the one in ${dataFolder}`;
    throw new WeftError("conflict", "ca.other_root", message);
  });
  return root;
}

function routesOf(
  { clock, log, monitor }: RoleContext,
  {
    attest,
    certify,
  }: {
    readonly attest: ReturnType<typeof createAttestor>;
    readonly certify: ReturnType<typeof createCertifier>;
  },
): GrpcRoutes {
  const issuedCount = monitor.metric("weft_ca_issued_total", "counter", "Certificates issued.");
  const refusedCount = monitor.metric("weft_ca_refused_total", "counter", "Requests refused.");
  const addresses = createRateLimit({
    what: "address",
    max: ADDRESS_REQUESTS_PER_MINUTE_MAX,
    clock,
  });
  const certified = createRateLimit({
    what: "client",
    max: ADDRESS_REQUESTS_PER_MINUTE_MAX,
    clock,
  });
  const identities = createRateLimit({
    what: "identity",
    max: IDENTITY_CERTIFICATES_PER_MINUTE_MAX,
    clock,
  });
  const gate = createGate(REQUESTS_AT_ONCE_MAX);

  async function createCertificate(
    request: IstioCertificateRequest,
    call: GrpcCall,
  ): Promise<IstioCertificateResponse> {
    // Whoever guesses tokens shall not keep its neighbours on the address from renewing.
    if (call.peer.spiffeId === undefined) addresses.take(call.peer.address);
    else certified.take(call.peer.spiffeId);
    const evidence = evidenceOf(call, clock.now());
    const csr = readCsr(request.csr);
    const caller = await attest(evidence, csr);
    identities.take(formatSpiffeId(caller.workload));
    const { chain } = await certify({
      caller,
      key: csr,
      ttlSeconds: request.validityDuration,
      evidenceSha256: evidence.sha256,
    });
    issuedCount.add(1, { attestor: caller.attestor });
    return create(IstioCertificateResponseSchema, { certChain: [...chain] });
  }

  /** Says why a request got no certificate: never with its token or what it sent. */
  function refused(error: unknown, { peer }: GrpcCall): void {
    const code = error instanceof WeftError ? error.code : "internal";
    refusedCount.add(1, { code });
    const fields = { code, address: peer.address, spiffeId: peer.spiffeId };
    if (error instanceof WeftError) log.warn({ ...fields, reason: error.message }, "csr refused");
    else log.error({ ...fields, err: error }, "csr not answered");
  }

  return {
    [`/${IstioCertificateService.typeName}/CreateCertificate`]: unary(
      IstioCertificateService.method.createCertificate,
      async (request, call) => {
        try {
          return await gate.run(() => createCertificate(request, call));
        } catch (error) {
          refused(error, call);
          throw error;
        }
      },
    ),
  };
}

function policyOf(options: CaOptions): Policy {
  const ttlDefaultSeconds = options.ttlDefaultSeconds ?? TTL_DEFAULT_SECONDS;
  const ttlMaxSeconds = options.ttlMaxSeconds ?? Math.max(TTL_DEFAULT_SECONDS, ttlDefaultSeconds);
  assert(ttlDefaultSeconds > 0 && ttlDefaultSeconds <= ttlMaxSeconds, "the policy's times fit");
  return { trustDomain: options.trustDomain, ttlDefaultSeconds, ttlMaxSeconds };
}

function intermediateTtlSeconds({ ttlMaxSeconds }: Policy): number {
  return Math.max(INTERMEDIATE_TTL_MIN_SECONDS, 3 * ttlMaxSeconds);
}
