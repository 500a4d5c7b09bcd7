import { equals } from "@bufbuild/protobuf";
import {
  type HttpMatchRequest,
  type StringMatch,
  StringMatchSchema,
} from "@weft/proto/weft/mesh/v1/match_pb.ts";
import { entryOf, type Report } from "./finding.ts";
import { checkGatewayNames } from "./gateway-name.ts";
import { type At, checkLabels, checkOptionalPort, checkRegex } from "./limits.ts";
import { isDnsLabel, isHttpToken } from "./names.ts";

/** Names that are fields of a match and not headers of a request. */
const PSEUDO_HEADERS: ReadonlyMap<string, string> = new Map([
  [":authority", "authority"],
  [":method", "method"],
  [":path", "uri"],
  [":scheme", "scheme"],
]);

/** Reports what is wrong with the conditions of one http match. */
export function validateHttpMatch(match: HttpMatchRequest, report: Report): void {
  for (const field of ["uri", "scheme", "method", "authority"] as const) {
    const condition = match[field];
    if (condition === undefined) continue;
    checkStringMatch(condition, { report, field });
    if (condition.matchType.case === undefined) {
      report.missing(field, `${field} has neither exact, prefix nor regex`);
    }
  }
  checkHeaders(match.headers, report, "headers");
  checkHeaders(match.withoutHeaders, report, "withoutHeaders");
  checkContradiction(match, report);
  for (const [name, condition] of Object.entries(match.queryParams)) {
    const field = `queryParams${entryOf(name)}`;
    if (name === "") report.bad(field, "a query parameter has no name");
    checkStringMatch(condition, { report, field });
  }
  checkOptionalPort(match.port, { report, field: "port" });
  checkLabels(match.sourceLabels, { report, field: "sourceLabels" });
  if (match.sourceNamespace !== "" && !isDnsLabel(match.sourceNamespace)) {
    const name = JSON.stringify(match.sourceNamespace);
    report.bad("sourceNamespace", `${name} is no namespace`);
  }
  checkGatewayNames(match.gateways, report);
}

/** A regular expression has to be one of RE2's. */
export function checkStringMatch({ matchType }: StringMatch, { report, field }: At): void {
  if (matchType.case === "regex") {
    checkRegex(matchType.value, { report, field: `${field}.regex` });
  }
}

function checkHeaders(
  headers: Readonly<Record<string, StringMatch>>,
  report: Report,
  list: "headers" | "withoutHeaders",
): void {
  for (const [name, condition] of Object.entries(headers)) {
    const field = list + entryOf(name);
    checkStringMatch(condition, { report, field });
    const own = PSEUDO_HEADERS.get(name.toLowerCase());
    // `@request.auth.claims.x` is not sent as a header: it names a claim of a verified token.
    if (name.startsWith("@request.auth.claims")) continue;
    if (own !== undefined) {
      report.bad(field, `${name} is no header here`, `write it as \`${own}\``);
    } else if (!isHttpToken(name)) {
      report.bad(field, `${JSON.stringify(name)} is no name of a header`);
    }
  }
}

function checkContradiction({ headers, withoutHeaders }: HttpMatchRequest, report: Report): void {
  for (const [name, condition] of Object.entries(withoutHeaders)) {
    const wanted = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (wanted === undefined || !equals(StringMatchSchema, wanted, condition)) continue;
    const field = `withoutHeaders${entryOf(name)}`;
    report.conflict(field, `header ${name} must and must not match the same`);
  }
}
