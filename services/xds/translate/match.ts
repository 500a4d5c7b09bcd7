import type {
  HeaderMatcherSchema,
  QueryParameterMatcherSchema,
  RouteMatchSchema,
} from "@weft/proto/envoy/config/route/v3/route_components_pb.ts";
import type { StringMatcherSchema } from "@weft/proto/envoy/type/matcher/v3/string_pb.ts";
import type { HttpMatchRequest, StringMatch } from "@weft/proto/weft/mesh/v1/match_pb.ts";
import type { Init } from "./init.ts";

type RouteMatchInit = Init<typeof RouteMatchSchema>;
type HeaderMatcherInit = Init<typeof HeaderMatcherSchema>;
type QueryMatcherInit = Init<typeof QueryParameterMatcherSchema>;
type StringMatcherInit = Init<typeof StringMatcherSchema>;

/** The conditions that Envoy checks for each request. Without any, every request is taken. */
export function routeMatch(match: HttpMatchRequest | undefined): RouteMatchInit {
  if (match === undefined) return { pathSpecifier: anyPath };
  const { uri, scheme, method, authority } = match;
  return {
    pathSpecifier: pathSpecifier(uri),
    // A regular expression carries its own case rules.
    ...(match.ignoreUriCase && uri?.matchType.case !== "regex" && { caseSensitive: false }),
    headers: [
      ...byName(match.headers).map(([name, value]) => headerMatcher(name, value)),
      ...byName(match.withoutHeaders).map(([name, value]) => absentMatcher(name, value)),
      ...(scheme ? [headerMatcher(":scheme", scheme)] : []),
      ...(method ? [headerMatcher(":method", method)] : []),
      ...(authority ? [headerMatcher(":authority", authority)] : []),
    ],
    queryParameters: byName(match.queryParams).map(([name, value]) => queryMatcher(name, value)),
  };
}

/** Whether a match takes every request, so that no route after it is ever reached. */
export function takesEverything(
  match: Pick<RouteMatchInit, "pathSpecifier" | "headers" | "queryParameters">,
): boolean {
  const path = match.pathSpecifier;
  const anywhere =
    (path?.case === "prefix" && path.value === "/") ||
    (path?.case === "safeRegex" && path.value.regex === ".*");
  return (
    anywhere && (match.headers ?? []).length === 0 && (match.queryParameters ?? []).length === 0
  );
}

/** Undefined for a match that says nothing, or that everything fulfils that is there. */
export function stringMatcher(match: StringMatch): StringMatcherInit | undefined {
  const { case: how, value } = match.matchType;
  switch (how) {
    case "exact":
      return { matchPattern: { case: "exact", value } };
    case "prefix":
      return value === "" ? undefined : { matchPattern: { case: "prefix", value } };
    case "regex":
      if (value === "" || value === "*") return undefined;
      return { matchPattern: { case: "safeRegex", value: { regex: value } } };
    case undefined:
      return undefined;
  }
}

const anyPath = { case: "prefix", value: "/" } as const;

function pathSpecifier(uri: StringMatch | undefined): NonNullable<RouteMatchInit["pathSpecifier"]> {
  const { case: how, value } = uri?.matchType ?? { case: undefined };
  switch (how) {
    case "exact":
      return { case: "path", value };
    case "prefix":
      return { case: "prefix", value };
    case "regex":
      return { case: "safeRegex", value: { regex: value } };
    case undefined:
      return anyPath;
  }
}

function headerMatcher(name: string, match: StringMatch): HeaderMatcherInit {
  const value = stringMatcher(match);
  if (value === undefined)
    return { name, headerMatchSpecifier: { case: "presentMatch", value: true } };
  return { name, headerMatchSpecifier: { case: "stringMatch", value } };
}

/** The header must not be there, or not with this value. */
function absentMatcher(name: string, match: StringMatch): HeaderMatcherInit {
  const matcher = headerMatcher(name, match);
  const comparesValue = matcher.headerMatchSpecifier?.case === "stringMatch";
  return { ...matcher, invertMatch: true, treatMissingHeaderAsEmpty: comparesValue };
}

function queryMatcher(name: string, match: StringMatch): QueryMatcherInit {
  const value = stringMatcher(match);
  if (value === undefined) {
    return { name, queryParameterMatchSpecifier: { case: "presentMatch", value: true } };
  }
  return { name, queryParameterMatchSpecifier: { case: "stringMatch", value } };
}

function byName<T>(map: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
}
