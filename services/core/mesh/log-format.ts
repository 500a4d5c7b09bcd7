import type { Report } from "./finding.ts";
import { didYouMean } from "./suggest.ts";

/** What a command operator takes besides its name. */
interface Operator {
  readonly parameters: "none" | "optional" | "required";
  readonly length: boolean;
}

function operators(names: string, operator: Operator): [string, Operator][] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => [name, operator]);
}

const PLAIN = `
  ACCESS_LOG_TYPE BYTES_RECEIVED BYTES_RETRANSMITTED BYTES_SENT CONNECTION_ID
  CONNECTION_TERMINATION_DETAILS CUSTOM_FLAGS DOWNSTREAM_CX_RTT
  DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT
  DOWNSTREAM_DETECTED_CLOSE_TYPE DOWNSTREAM_DIRECT_LOCAL_ADDRESS
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID DOWNSTREAM_DIRECT_LOCAL_PORT
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_PORT DOWNSTREAM_HANDSHAKE_DURATION
  DOWNSTREAM_HEADER_BYTES_RECEIVED DOWNSTREAM_HEADER_BYTES_SENT DOWNSTREAM_LOCAL_ADDRESS
  DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID DOWNSTREAM_LOCAL_CLOSE_REASON DOWNSTREAM_LOCAL_DNS_SAN
  DOWNSTREAM_LOCAL_EMAIL_SAN DOWNSTREAM_LOCAL_IP_SAN DOWNSTREAM_LOCAL_OTHERNAME_SAN
  DOWNSTREAM_LOCAL_PORT DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT
  DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1 DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256
  DOWNSTREAM_PEER_CHAIN_SERIALS DOWNSTREAM_PEER_DNS_SAN DOWNSTREAM_PEER_EMAIL_SAN
  DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_IP_SAN
  DOWNSTREAM_PEER_ISSUER DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256 DOWNSTREAM_PEER_ISSUER_SERIAL
  DOWNSTREAM_PEER_OTHERNAME_SAN DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT
  DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_PORT DOWNSTREAM_TLS_CIPHER
  DOWNSTREAM_TLS_GROUP DOWNSTREAM_TLS_SESSION_ID DOWNSTREAM_TLS_VERSION
  DOWNSTREAM_TRANSPORT_FAILURE_REASON DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_WIRE_BYTES_SENT
  DURATION FILTER_CHAIN_NAME GRPC_STATUS_NUMBER HOSTNAME LISTENER_NAME LOCAL_REPLY_BODY
  PACKETS_RETRANSMITTED PROTOCOL REQUEST_DURATION REQUEST_HEADERS_BYTES REQUEST_TX_DURATION
  RESPONSE_CODE RESPONSE_DURATION RESPONSE_FLAGS RESPONSE_FLAGS_LONG RESPONSE_HEADERS_BYTES
  RESPONSE_TRAILERS_BYTES RESPONSE_TX_DURATION ROUNDTRIP_DURATION ROUTE_NAME
  ROUTE_RESOLUTION_COUNT ROUTE_RESOLUTION_TIME_US SPAN_ID STREAM_ID TLS_JA3_FINGERPRINT
  TLS_JA4_FINGERPRINT TRACE_ID UNIQUE_ID UPSTREAM_CLUSTER UPSTREAM_CLUSTER_RAW
  UPSTREAM_CONNECTION_ID UPSTREAM_CONNECTION_IDS_ATTEMPTED UPSTREAM_CONNECTION_POOL_READY_DURATION
  UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT
  UPSTREAM_DETECTED_CLOSE_TYPE UPSTREAM_HEADER_BYTES_RECEIVED UPSTREAM_HEADER_BYTES_SENT
  UPSTREAM_HOST UPSTREAM_HOSTS_ATTEMPTED UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT UPSTREAM_HOST_NAME
  UPSTREAM_HOST_NAMES_ATTEMPTED UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT
  UPSTREAM_HOST_NAME_WITHOUT_PORT UPSTREAM_LOCAL_ADDRESS UPSTREAM_LOCAL_CLOSE_REASON
  UPSTREAM_LOCAL_DNS_SAN UPSTREAM_LOCAL_IP_SAN UPSTREAM_LOCAL_PORT UPSTREAM_LOCAL_URI_SAN
  UPSTREAM_PEER_CERT UPSTREAM_PEER_DNS_SAN UPSTREAM_PEER_IP_SAN UPSTREAM_PEER_ISSUER
  UPSTREAM_PEER_SUBJECT UPSTREAM_PEER_URI_SAN UPSTREAM_PROTOCOL UPSTREAM_REMOTE_ADDRESS
  UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID UPSTREAM_REMOTE_PORT UPSTREAM_REQUEST_ATTEMPT_COUNT
  UPSTREAM_SERVER_NAME UPSTREAM_TLS_CIPHER UPSTREAM_TLS_GROUP UPSTREAM_TLS_SESSION_ID
  UPSTREAM_TLS_VERSION UPSTREAM_TRANSPORT_FAILURE_REASON UPSTREAM_WIRE_BYTES_RECEIVED
  UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME
`;

const OPTIONAL = `
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_PEER_CERT_V_END DOWNSTREAM_PEER_CERT_V_START
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT EMIT_TIME EMIT_TIME_LOCAL GRPC_STATUS
  REQUESTED_SERVER_NAME RESPONSE_CODE_DETAILS START_TIME START_TIME_LOCAL
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT UPSTREAM_PEER_CERT_V_END UPSTREAM_PEER_CERT_V_START
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT
`;

const REQUIRED_WITH_LENGTH = `
  CEL COALESCE DYNAMIC_METADATA ENVIRONMENT FILTER_STATE METADATA QUERY_PARAM REQ REQUEST_HEADER
  RESP RESPONSE_HEADER RESPONSE_TRAILER STREAM_INFO_REQ TRAILER UPSTREAM_FILTER_STATE
`;

/** The command operators of Envoy 1.40 (its documentation's "Access logging", as it takes them). */
export const LOG_OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ...operators(PLAIN, { parameters: "none", length: false }),
  ...operators(OPTIONAL, { parameters: "optional", length: false }),
  ...operators("PATH QUERY_PARAMS", { parameters: "optional", length: true }),
  ...operators("CLUSTER_METADATA COMMON_DURATION UPSTREAM_METADATA", {
    parameters: "required",
    length: false,
  }),
  ...operators(REQUIRED_WITH_LENGTH, { parameters: "required", length: true }),
]);

/** A command as Envoy reads it: `%NAME%`, `%NAME(parameters)%`, `%NAME(parameters):10%`. */
const COMMAND = /%([A-Z0-9_]+)(?:\(([^\n]*?)\))?(:[0-9]+)?%/y;

/** A length is an unsigned number of 64 bits. */
const LENGTH_MAX = 2n ** 64n - 1n;

/** Objects in one another: Protobuf reads a hundred messages deep, and each is three of them. */
const JSON_DEPTH_MAX = 16;

/** Characters of a faulty command that are shown. */
const SHOWN_MAX = 40;

/** A format to check, and the field it is the value of. */
interface Format {
  readonly report: Report;
  readonly field: string;
}

/** Refuses commands that Envoy would refuse, and a whole listener with them. */
export function checkLogFormat(text: string, { report, field }: Format): void {
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", at)) {
    if (text[at + 1] === "%") {
      at += 2;
      continue;
    }
    COMMAND.lastIndex = at;
    const found = COMMAND.exec(text);
    if (found === null) {
      const help =
        "write %OPERATOR%, %OPERATOR(PARAMETERS)% or %OPERATOR(PARAMETERS):LENGTH%; " +
        "%% stands for a percent sign";
      report.bad(field, `${shown(text.slice(at))} is no command of an access log`, help);
      return;
    }
    const problem = problemOf(found);
    if (problem !== undefined) {
      report.bad(field, `${shown(found[0])}: ${problem.message}`, problem.help);
      return;
    }
    at = COMMAND.lastIndex;
  }
}

/** Refuses such commands in any text of a JSON format; keys are no formats. */
export function checkJsonLogFormat(value: unknown, format: Format, depth = 0): void {
  if (typeof value === "string") {
    checkLogFormat(value, format);
  } else if (typeof value === "object" && value !== null) {
    if (depth === JSON_DEPTH_MAX) {
      format.report.bad(format.field, `the format is nested more than ${JSON_DEPTH_MAX} deep`);
      return;
    }
    for (const each of Object.values(value)) checkJsonLogFormat(each, format, depth + 1);
  }
}

interface Problem {
  readonly message: string;
  readonly help?: string | undefined;
}

function problemOf([, name = "", parameters = "", length]: RegExpExecArray): Problem | undefined {
  const operator = LOG_OPERATORS.get(name);
  if (operator === undefined) {
    const help = didYouMean(name, LOG_OPERATORS.keys());
    return { message: `Envoy has no command operator ${shown(name)}`, help };
  }
  if (operator.parameters === "required" && parameters === "") {
    return { message: `${name} requires parameters`, help: `write %${name}(…)%` };
  }
  if (operator.parameters === "none" && parameters !== "") {
    return { message: `${name} takes no parameters`, help: `write %${name}%` };
  }
  if (length === undefined) return undefined;
  if (!operator.length) return { message: `${name} takes no length` };
  if (BigInt(length.slice(1)) <= LENGTH_MAX) return undefined;
  return { message: `the length is more than ${LENGTH_MAX}` };
}

function shown(text: string): string {
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}
