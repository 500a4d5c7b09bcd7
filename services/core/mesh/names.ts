/** A label of a DNS name (RFC 1123), as Kubernetes names namespaces and ports. */
const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** The same in any case: host names are compared without case. */
const HOST_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/i;

/** The first label of a wildcard host: `*` or `*-suffix`. */
const WILDCARD_LABEL = /^\*(?:-[a-z0-9](?:[-a-z0-9]{0,59}[a-z0-9])?)?$/i;

/** RFC 1035, without the dot at the end. */
const NAME_LENGTH_MAX = 253;

const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** A token of HTTP (RFC 9110, 5.6.2). */
const HTTP_TOKEN = /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/;

export function isDnsLabel(name: string): boolean {
  return LABEL.test(name);
}

export function isDnsSubdomain(name: string): boolean {
  return name.length <= NAME_LENGTH_MAX && name.split(".").every((label) => LABEL.test(label));
}

/** A host name without wildcard; one dot at the end is allowed. */
export function isHostName(host: string): boolean {
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  const labels = name.split(".");
  return name.length <= NAME_LENGTH_MAX && labels.every((label) => HOST_LABEL.test(label));
}

/** A host name whose first label may be a wildcard: `*`, `*.example.com`, `*-a.example.com`. */
export function isHostPattern(host: string): boolean {
  if (!isWildcard(host)) return isHostName(host);
  const dot = host.indexOf(".");
  if (dot < 0) return WILDCARD_LABEL.test(host);
  return WILDCARD_LABEL.test(host.slice(0, dot)) && isHostName(host.slice(dot + 1));
}

export function isWildcard(host: string): boolean {
  return host.startsWith("*");
}

/** A label's value as Kubernetes takes it. */
export function isLabelValue(value: string): boolean {
  return LABEL_VALUE.test(value);
}

/** A label's key: a name of 63 characters, optionally behind a DNS name and a slash. */
export function isLabelKey(key: string): boolean {
  const slash = key.indexOf("/");
  const name = key.slice(slash + 1);
  return name !== "" && isLabelValue(name) && (slash < 0 || isDnsSubdomain(key.slice(0, slash)));
}

export function isHttpToken(name: string): boolean {
  return HTTP_TOKEN.test(name);
}

/** Whether a number can be a port that something listens on. */
export function isPort(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= 65_535;
}
