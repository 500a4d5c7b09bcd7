import { hostMatches, hostnamesOf, type Service } from "@weft/core/mesh";

/** The hostname that a host in a resource of `namespace` means: that of a service if there is one. */
export function resolveHost(
  services: ReadonlyMap<string, Service>,
  host: string,
  namespace: string,
): string {
  const names = hostnamesOf(host, namespace);
  return names.find((name) => services.has(name)) ?? names[0] ?? host;
}

/** The hosts that two patterns have in common: the narrower one of them, or none. */
export function intersectHosts(a: string, b: string): string | undefined {
  if (hostMatches(a, b)) return b;
  return hostMatches(b, a) ? a : undefined;
}
