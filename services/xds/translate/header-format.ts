/** Commands of Envoy's formats that stand alone. */
const PLAIN: ReadonlySet<string> = new Set([
  "BYTES_RECEIVED",
  "BYTES_SENT",
  "CONNECTION_ID",
  "CONNECTION_TERMINATION_DETAILS",
  "DOWNSTREAM_DIRECT_REMOTE_ADDRESS",
  "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_LOCAL_ADDRESS",
  "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_LOCAL_PORT",
  "DOWNSTREAM_LOCAL_SUBJECT",
  "DOWNSTREAM_LOCAL_URI_SAN",
  "DOWNSTREAM_PEER_CERT",
  "DOWNSTREAM_PEER_FINGERPRINT_256",
  "DOWNSTREAM_PEER_ISSUER",
  "DOWNSTREAM_PEER_SERIAL",
  "DOWNSTREAM_PEER_SUBJECT",
  "DOWNSTREAM_PEER_URI_SAN",
  "DOWNSTREAM_REMOTE_ADDRESS",
  "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_TLS_CIPHER",
  "DOWNSTREAM_TLS_SESSION_ID",
  "DOWNSTREAM_TLS_VERSION",
  "DURATION",
  "HOSTNAME",
  "PROTOCOL",
  "REQUEST_DURATION",
  "REQUESTED_SERVER_NAME",
  "RESPONSE_CODE",
  "RESPONSE_CODE_DETAILS",
  "RESPONSE_DURATION",
  "RESPONSE_FLAGS",
  "ROUTE_NAME",
  "START_TIME",
  "STREAM_ID",
  "UPSTREAM_CLUSTER",
  "UPSTREAM_CLUSTER_RAW",
  "UPSTREAM_HOST",
  "UPSTREAM_LOCAL_ADDRESS",
  "UPSTREAM_REMOTE_ADDRESS",
  "VIRTUAL_CLUSTER_NAME",
]);

/** Commands that must say of what: `%REQ(x-user)%`. */
const OF_SOMETHING: ReadonlySet<string> = new Set([
  "CLUSTER_METADATA",
  "DYNAMIC_METADATA",
  "ENVIRONMENT",
  "FILTER_STATE",
  "REQ",
  "RESP",
  "TRAILER",
  "UPSTREAM_METADATA",
]);

/**
 * A header's value as Envoy reads it, as a format: known commands are kept, and every other percent
 * sign stands for itself. Envoy would refuse the whole route table for one command it does not know.
 */
export function headerFormat(value: string): string {
  const token = /%(?:%|([A-Z0-9_]+)(\([^()%]+\))?(?::\d+)?%)?/g;
  return value.replace(token, (whole, command?: string, of?: string) => {
    if (whole === "%%") return whole;
    if (command === undefined) return "%%";
    const isKnown = of === undefined ? PLAIN.has(command) : OF_SOMETHING.has(command);
    return isKnown ? whole : whole.replaceAll("%", "%%");
  });
}
