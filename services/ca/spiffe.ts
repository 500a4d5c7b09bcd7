import { WeftError } from "@weft/core/error";
import { isSpiffeSegment, type Workload } from "@weft/core/mesh";

/** Who a certificate is for. */
export interface SpiffeId extends Workload {
  readonly trustDomain: string;
}

/** The longest ID that every implementation must take (SPIFFE-ID, section 2.3). */
const ID_BYTES_MAX = 2_048;

/** The longest trust domain (SPIFFE-ID, section 2.1). */
const TRUST_DOMAIN_LENGTH_MAX = 255;

/** Whether a name may be a trust domain: lower case, since an ID is compared byte by byte. */
export function isTrustDomain(name: string): boolean {
  return name.length <= TRUST_DOMAIN_LENGTH_MAX && /^[a-z0-9._-]+$/.test(name);
}

/**
 * The text of an ID, `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`. Refuses before
 * anything is encoded: what may stand here may stand in a certificate as it is.
 *
 * @throws WeftError invalid `ca.bad_identity`
 */
export function formatSpiffeId({ trustDomain, namespace, serviceAccount }: SpiffeId): string {
  const id = `${trustDomainUri(trustDomain)}/ns/${namespace}/sa/${serviceAccount}`;
  if (!isSpiffeSegment(namespace) || !isSpiffeSegment(serviceAccount) || id.length > ID_BYTES_MAX) {
    throw badIdentity(`${JSON.stringify(id)} is not a SPIFFE ID`);
  }
  return id;
}

/**
 * The ID of a trust domain itself: what signing certificates have.
 *
 * @throws WeftError invalid `ca.bad_identity`
 */
export function trustDomainUri(trustDomain: string): string {
  if (isTrustDomain(trustDomain)) return `spiffe://${trustDomain}`;
  throw badIdentity(`${JSON.stringify(trustDomain)} is not a trust domain`);
}

/**
 * Reads a workload's ID. Exactly one text stands for an ID: no other scheme, case, port, query,
 * fragment, escape or path.
 *
 * @throws WeftError invalid `ca.bad_identity`
 */
export function parseSpiffeId(text: string): SpiffeId {
  const parts = /^spiffe:\/\/([^/]*)\/ns\/([^/]*)\/sa\/([^/]*)$/.exec(
    text.length <= ID_BYTES_MAX ? text : "",
  );
  const [, trustDomain = "", namespace = "", serviceAccount = ""] = parts ?? [];
  if (isTrustDomain(trustDomain) && [namespace, serviceAccount].every(isSpiffeSegment)) {
    return { trustDomain, namespace, serviceAccount };
  }
  throw badIdentity(`${JSON.stringify(text.slice(0, ID_BYTES_MAX))} is not a workload's SPIFFE ID`);
}

function badIdentity(message: string): WeftError {
  return new WeftError("invalid", "ca.bad_identity", message);
}
