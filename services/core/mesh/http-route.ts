import type {
  CorsPolicy,
  HttpDirectResponse,
  HttpRedirect,
  HttpRewrite,
  HttpRoute,
} from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import { checkDestination, checkDestinations } from "./destination.ts";
import { validateFault } from "./fault.ts";
import type { Report } from "./finding.ts";
import { checkHeaderOperations } from "./headers.ts";
import {
  checkDuration,
  checkOptionalPort,
  checkPercent,
  checkRange,
  checkRegex,
} from "./limits.ts";
import { checkStringMatch, validateHttpMatch } from "./match.ts";
import { isDnsLabel, isDnsSubdomain, isHttpToken } from "./names.ts";
import { validateRetry } from "./retry.ts";

/** What a rule may do with a request; a rule does one of them. */
const ACTIONS = ["route", "redirect", "directResponse", "delegate"] as const;

/** Codes that Envoy's RedirectAction has. */
const REDIRECT_CODES = [301, 302, 303, 307, 308];

/** Envoy's limit as Weft sets it in RouteConfiguration: 1 MiB. */
const BODY_BYTES_MAX = 1 << 20;

/** Reports what is wrong with one http rule. */
export function validateHttpRoute(route: HttpRoute, report: Report): void {
  checkActions(route, report);
  for (const [index, match] of route.match.entries()) {
    validateHttpMatch(match, report.in(`match[${index}]`));
  }
  checkDestinations(route.route, report);
  for (const [index, { headers }] of route.route.entries()) {
    if (headers) checkHeaderOperations(headers, report.in(`route[${index}].headers`));
  }
  if (route.redirect) validateRedirect(route.redirect, report.in("redirect"));
  if (route.directResponse) validateDirectResponse(route.directResponse, report);
  if (route.delegate) validateDelegate(route, report);
  if (route.rewrite) validateRewrite(route.rewrite, report.in("rewrite"));
  checkDuration(route.timeout, { report, field: "timeout", zero: true });
  if (route.retries) validateRetry(route.retries, report.in("retries"));
  if (route.fault) validateFault(route.fault, report.in("fault"));
  checkMirrors(route, report);
  if (route.corsPolicy) validateCors(route.corsPolicy, report.in("corsPolicy"));
  if (route.headers) checkHeaderOperations(route.headers, report.in("headers"));
}

function checkActions(route: HttpRoute, report: Report): void {
  const taken = ACTIONS.filter((action) => {
    return action === "route" ? route.route.length > 0 : route[action] !== undefined;
  });
  const [first, second] = taken;
  if (first === undefined) {
    const help = `give it one of ${ACTIONS.join(", ")}`;
    report.missing("", "the rule does nothing with a request", help);
  }
  if (second !== undefined) {
    report.conflict(second, `the rule has both ${first} and ${second}`, "keep one of them");
  }
  if (first !== "redirect" && first !== "directResponse") return;
  for (const other of ["rewrite", "fault"] as const) {
    if (route[other] === undefined) continue;
    report.conflict(other, `${other} has no effect on a rule with ${first}`, `remove ${other}`);
  }
}

function validateRedirect(redirect: HttpRedirect, report: Report): void {
  const { uri, authority, scheme, prefixRewrite, redirectCode, redirectPort } = redirect;
  if (!uri && !authority && !scheme && !prefixRewrite && redirectPort.case === undefined) {
    const help = "give it uri, prefixRewrite, authority, port or scheme";
    report.missing("", "redirect leads nowhere else", help);
  }
  if (uri !== "" && prefixRewrite !== "") {
    report.conflict("prefixRewrite", "redirect has both uri and prefixRewrite");
  }
  checkOneLine({ uri, authority, prefixRewrite }, report);
  if (scheme !== "" && scheme !== "http" && scheme !== "https") {
    report.bad("scheme", `scheme ${JSON.stringify(scheme)} is neither http nor https`);
  }
  if (redirectPort.case === "port") {
    checkOptionalPort(redirectPort.value, { report, field: "port" });
  }
  if ((redirectCode !== 0 || report.isWritten("redirectCode")) && !isRedirectCode(redirectCode)) {
    const help = `it is one of ${REDIRECT_CODES.join(", ")}`;
    report.bad("redirectCode", `redirectCode ${redirectCode} is not one Envoy sends`, help);
  }
}

/** What becomes part of a header: Envoy refuses a whole table of routes for a line break in one. */
function checkOneLine(texts: Readonly<Record<string, string>>, report: Report): void {
  for (const [field, text] of Object.entries(texts)) {
    if (/[\0\r\n]/.test(text)) report.bad(field, `${field} has a line break`);
  }
}

function isRedirectCode(code: number): boolean {
  return REDIRECT_CODES.includes(code);
}

function validateDirectResponse({ status, body }: HttpDirectResponse, report: Report): void {
  const at = report.in("directResponse");
  if (status === 0 && !at.isWritten("status")) {
    at.missing("status", "directResponse has no status");
  } else {
    // Envoy's DirectResponseAction refuses anything below 200.
    checkRange(status, [200, 599], { report: at, field: "status" });
  }
  if (body === undefined) return;
  const { specifier } = body;
  if (specifier.case === undefined) at.missing("body", "body has neither string nor bytes");
  else if (specifier.value.length > BODY_BYTES_MAX) {
    const message = `body has ${specifier.value.length} bytes, at most ${BODY_BYTES_MAX}`;
    at.bad(`body.${specifier.case}`, message);
  }
}

function validateDelegate({ delegate }: HttpRoute, report: Report): void {
  const { name = "", namespace = "" } = delegate ?? {};
  const at = report.in("delegate");
  if (name === "") at.missing("name", "delegate has no name");
  else if (!isDnsSubdomain(name)) at.bad("name", `${JSON.stringify(name)} is no resource's name`);
  if (namespace !== "" && !isDnsLabel(namespace)) {
    at.bad("namespace", `${JSON.stringify(namespace)} is no namespace`);
  }
}

function validateRewrite(rewrite: HttpRewrite, report: Report): void {
  const { uri, authority, uriRegexRewrite } = rewrite;
  if (uri === "" && authority === "" && uriRegexRewrite === undefined) {
    report.missing("", "rewrite changes nothing", "give it uri, uriRegexRewrite or authority");
  }
  checkOneLine({ uri, authority }, report);
  if (uriRegexRewrite === undefined) return;
  checkOneLine({ rewrite: uriRegexRewrite.rewrite }, report.in("uriRegexRewrite"));
  if (uri !== "") report.conflict("uriRegexRewrite", "rewrite has both uri and uriRegexRewrite");
  if (uriRegexRewrite.match === "") {
    report.missing("uriRegexRewrite.match", "uriRegexRewrite has no match");
  } else {
    checkRegex(uriRegexRewrite.match, { report, field: "uriRegexRewrite.match" });
  }
}

function checkMirrors(route: HttpRoute, report: Report): void {
  if (route.mirror !== undefined) checkDestination(route.mirror, report, "mirror");
  if (route.mirror !== undefined && route.mirrors.length > 0) {
    report.conflict("mirrors", "the rule has both mirror and mirrors", "keep mirrors");
  }
  checkPercent(route.mirrorPercent, { report, field: "mirrorPercent" });
  const { mirrorPercentage } = route;
  checkPercent(mirrorPercentage?.value, { report, field: "mirrorPercentage.value" });
  for (const [index, { destination, percentage }] of route.mirrors.entries()) {
    const at = report.in(`mirrors[${index}]`);
    checkDestination(destination, at, "destination");
    checkPercent(percentage?.value, { report: at, field: "percentage.value" });
  }
}

function validateCors(policy: CorsPolicy, report: Report): void {
  for (const [index, origin] of policy.allowOrigins.entries()) {
    checkStringMatch(origin, { report, field: `allowOrigins[${index}]` });
  }
  for (const field of ["allowMethods", "allowHeaders", "exposeHeaders"] as const) {
    for (const [index, name] of policy[field].entries()) {
      if (isHttpToken(name)) continue;
      report.bad(`${field}[${index}]`, `${JSON.stringify(name)} is no token of HTTP`);
    }
  }
  const { maxAge } = policy;
  if (maxAge !== undefined && (maxAge.seconds < 0n || maxAge.nanos !== 0)) {
    report.bad("maxAge", "maxAge is not a whole number of seconds");
  }
}
