import { JsonReader, schema } from "@weft/sdk/assembly";

/** The names of the headers that a preset has a value for. */
export const HSTS = "strict-transport-security";
export const CSP = "content-security-policy";
export const CSP_REPORT_ONLY = "content-security-policy-report-only";
export const CONTENT_TYPE_OPTIONS = "x-content-type-options";
export const FRAME_OPTIONS = "x-frame-options";
export const REFERRER_POLICY = "referrer-policy";
export const PERMISSIONS_POLICY = "permissions-policy";
export const OPENER_POLICY = "cross-origin-opener-policy";
export const EMBEDDER_POLICY = "cross-origin-embedder-policy";
export const RESOURCE_POLICY = "cross-origin-resource-policy";

enum Kind { Strict, Api, Legacy, None }

/**
 * Values to begin with: for pages that load only their own, for answers that no page shows, for
 * pages that nobody has prepared, or none.
 */
@schema('{"enum": ["strict", "api", "legacy", "none"]}')
@final
export class Preset {
  private kind: Kind = Kind.None;

  read(json: JsonReader): void {
    this.kind = <Kind>json.readChoice(["strict", "api", "legacy", "none"]);
  }

  /** The preset's value of a header; "" if it has none. */
  valueOf(header: string, hasNonce: bool): string {
    switch (this.kind) {
      case Kind.Strict: return strict(header, hasNonce);
      case Kind.Api: return api(header);
      case Kind.Legacy: return legacy(header);
    }
    return "";
  }
}

function strict(header: string, hasNonce: bool): string {
  if (header == HSTS) return "max-age=63072000; includeSubDomains";
  if (header == CSP) return hasNonce ? CSP_WITH_NONCE : CSP_OF_OWN;
  if (header == CONTENT_TYPE_OPTIONS) return "nosniff";
  if (header == FRAME_OPTIONS) return "DENY";
  if (header == REFERRER_POLICY) return "same-origin";
  if (header == PERMISSIONS_POLICY) return NOTHING_PERMITTED;
  if (header == OPENER_POLICY) return "same-origin";
  if (header == EMBEDDER_POLICY) return "require-corp";
  return header == RESOURCE_POLICY ? "same-origin" : "";
}

function api(header: string): string {
  if (header == HSTS) return "max-age=63072000; includeSubDomains";
  if (header == CSP) return "default-src 'none'; frame-ancestors 'none'";
  if (header == CONTENT_TYPE_OPTIONS) return "nosniff";
  if (header == FRAME_OPTIONS) return "DENY";
  if (header == REFERRER_POLICY) return "no-referrer";
  return header == RESOURCE_POLICY ? "same-origin" : "";
}

function legacy(header: string): string {
  if (header == HSTS) return "max-age=31536000";
  if (header == CSP) return "frame-ancestors 'self'";
  if (header == CONTENT_TYPE_OPTIONS) return "nosniff";
  if (header == FRAME_OPTIONS) return "SAMEORIGIN";
  if (header == REFERRER_POLICY) return "strict-origin-when-cross-origin";
  return header == OPENER_POLICY ? "same-origin-allow-popups" : "";
}

const CSP_OF_OWN = "default-src 'self'; base-uri 'self'; form-action 'self'; "
  + "frame-ancestors 'none'; object-src 'none'";

const CSP_WITH_NONCE = "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic'; "
  + "base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

const NOTHING_PERMITTED = "camera=(), display-capture=(), geolocation=(), microphone=(), "
  + "payment=(), usb=()";
