import type { HttpMatchRequest, StringMatch } from "@weft/proto/weft/mesh/v1/match_pb.ts";
import type { VirtualService } from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import type { Places, Report } from "./finding.ts";

/** Conditions that later ones are compared with: each costs a comparison with all behind it. */
const COMPARED_MAX = 500;

interface Condition {
  /** `http[0].match[1]`, or `http[0]` for a rule without a match. */
  readonly field: string;
  readonly match: HttpMatchRequest | undefined;
}

/**
 * Warns of http rules that no request can reach: rules before them take all that they match. Only
 * what is certain is said: regular expressions are compared as texts.
 */
export function checkReachability(
  { http }: VirtualService,
  { report, places }: { readonly report: Report; readonly places: Places },
): void {
  const earlier: Condition[] = [];
  for (const [index, route] of http.entries()) {
    const rule = `http[${index}]`;
    const own: Condition[] =
      route.match.length === 0
        ? [{ field: rule, match: undefined }]
        : route.match.map((match, position) => ({ field: `${rule}.match[${position}]`, match }));
    const shadows = own.map(({ match }) => earlier.find((before) => covers(before.match, match)));
    const isDead = shadows.every((shadow) => shadow !== undefined);
    for (const [position, shadow] of shadows.entries()) {
      const { field } = own[position] as Condition;
      if (shadow === undefined || (isDead && position > 0)) continue;
      const line = places.get(`spec.${shadow.field}`)?.key.line;
      const by = `${shadow.field}${line === undefined ? "" : ` at line ${line}`}`;
      report.warning({
        code: "mesh.unreachable_rule",
        field: isDead ? rule : field,
        message: `${isDead ? "rule" : "match"} can never match: ${by} takes its requests`,
      });
    }
    if (earlier.length < COMPARED_MAX) earlier.push(...own);
  }
}

/** Whether every request that `narrow` matches is matched by `wide`; undefined matches all. */
function covers(wide: HttpMatchRequest | undefined, narrow: HttpMatchRequest | undefined): boolean {
  if (wide === undefined) return true;
  return (
    coversText(wide.uri, narrow?.uri, {
      wide: wide.ignoreUriCase,
      narrow: narrow?.ignoreUriCase ?? false,
    }) &&
    coversText(wide.scheme, narrow?.scheme) &&
    coversText(wide.method, narrow?.method) &&
    coversText(wide.authority, narrow?.authority) &&
    coversTexts(wide.headers, narrow?.headers ?? {}) &&
    coversTexts(wide.queryParams, narrow?.queryParams ?? {}) &&
    excludesNoMore(wide.withoutHeaders, narrow?.withoutHeaders ?? {}) &&
    coversSource(wide, narrow)
  );
}

function coversSource(wide: HttpMatchRequest, narrow: HttpMatchRequest | undefined): boolean {
  const labels = narrow?.sourceLabels ?? {};
  const gateways = narrow?.gateways ?? [];
  return (
    (wide.port === 0 || wide.port === narrow?.port) &&
    (wide.sourceNamespace === "" || wide.sourceNamespace === narrow?.sourceNamespace) &&
    Object.entries(wide.sourceLabels).every(([key, value]) => labels[key] === value) &&
    (wide.gateways.length === 0 ||
      (gateways.length > 0 && gateways.every((name) => wide.gateways.includes(name))))
  );
}

function coversText(
  wide: StringMatch | undefined,
  narrow: StringMatch | undefined,
  ignoreCase = { wide: false, narrow: false },
): boolean {
  if (wide === undefined) return true;
  if (narrow === undefined || (ignoreCase.narrow && !ignoreCase.wide)) return false;
  const fold = (text: string): string => (ignoreCase.wide ? text.toLowerCase() : text);
  const [a, b] = [wide.matchType, narrow.matchType];
  switch (a.case) {
    case undefined:
      return true;
    case "exact":
      return b.case === "exact" && fold(a.value) === fold(b.value);
    case "prefix":
      return (b.case === "exact" || b.case === "prefix") && fold(b.value).startsWith(fold(a.value));
    case "regex":
      // Envoy ignores case for paths and prefixes only.
      return isAnything(a.value) || (b.case === "regex" && a.value === b.value);
  }
}

function isAnything(regex: string): boolean {
  return regex === ".*" || regex === "*";
}

function coversTexts(
  wide: Readonly<Record<string, StringMatch>>,
  narrow: Readonly<Record<string, StringMatch>>,
): boolean {
  const conditions = new Map(Object.entries(narrow));
  return Object.entries(wide).every(([name, condition]) => {
    const own = conditions.get(name);
    return own !== undefined && coversText(condition, own);
  });
}

/** Each header that `wide` shuts out is shut out by `narrow` too. */
function excludesNoMore(
  wide: Readonly<Record<string, StringMatch>>,
  narrow: Readonly<Record<string, StringMatch>>,
): boolean {
  const conditions = new Map(Object.entries(narrow));
  return Object.entries(wide).every(([name, condition]) => {
    const own = conditions.get(name);
    return own !== undefined && coversText(own, condition);
  });
}
