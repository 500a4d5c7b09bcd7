/** What stands in place of a secret. */
const REDACTED = "redacted";

type Header = readonly [string, string];

/** Headers without the secrets in them: what kind they are and what they are called stays. */
export function redact(headers: readonly Header[]): [string, string][] {
  return headers.map(([name, value]) => [
    name,
    REDACTIONS.get(name.toLowerCase())?.(value) ?? value,
  ]);
}

const REDACTIONS = new Map<string, (value: string) => string>([
  ["authorization", redactCredentials],
  ["proxy-authorization", redactCredentials],
  ["cookie", redactCookies],
  ["set-cookie", redactSetCookie],
]);

/** `Bearer eyJ…` keeps its scheme. */
function redactCredentials(value: string): string {
  const [, scheme] = /^\s*([A-Za-z][\w-]*)\s+\S/.exec(value) ?? [];
  return scheme === undefined ? REDACTED : `${scheme} ${REDACTED}`;
}

/** `a=1; b=2` keeps its names. */
function redactCookies(value: string): string {
  return value
    .split(";")
    .map((each) => redactPair(each))
    .join(";");
}

/** The cookie itself goes, its attributes stay. */
function redactSetCookie(value: string): string {
  const [cookie = "", ...attributes] = value.split(";");
  return [redactPair(cookie), ...attributes].join(";");
}

function redactPair(pair: string): string {
  const at = pair.indexOf("=");
  if (at >= 0) return `${pair.slice(0, at)}=${REDACTED}`;
  return pair.trim() === "" ? pair : REDACTED;
}
