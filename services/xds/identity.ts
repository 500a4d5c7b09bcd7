import { WeftError } from "@weft/core/error";
import type { Proxy as EnvoyProxy } from "@weft/core/mesh";
import type { Peer } from "@weft/core/runtime";

/**
 * Holds a proxy to its certificate: configuration of one workload is not shown to another.
 *
 * @throws WeftError denied `xds.denied`
 */
export function checkIdentity(
  proxy: EnvoyProxy,
  peer: Peer,
  { trustDomain, nowMs }: { readonly trustDomain: string; readonly nowMs: number },
): void {
  if (peer.spiffeId === undefined) {
    throw new WeftError("denied", "xds.denied", `${proxy.id} shows no certificate of the mesh`);
  }
  const { namespace, serviceAccount } = proxy;
  const expected = `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
  if (serviceAccount === "" || peer.spiffeId !== expected) {
    const message = `${proxy.id} of ${expected} came with the certificate of ${peer.spiffeId}`;
    throw new WeftError("denied", "xds.denied", message);
  }
  // TLS looked once, at the beginning of a connection that may be older than the certificate.
  if (peer.notAfterMs !== undefined && peer.notAfterMs <= nowMs) {
    throw new WeftError("denied", "xds.denied", `the certificate of ${proxy.id} has expired`);
  }
}
