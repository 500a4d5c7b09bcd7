import {
  Bytes, config, isHeaderName, isHeaderValue, isProxyHeader, JsonReader, max, min, RequestMatch,
  schema,
} from "@weft/sdk/assembly";
import { Preset } from "./preset";

/** Where a policy gets the nonce of its response. */
export const NONCE = "{nonce}";

/** Headers to remove; each is looked for in every response. */
const REMOVALS_MAX: i32 = 64;

/** The longest value: some servers and browsers take no more than 8 KiB for a header. */
const VALUE_BYTES_MAX: i32 = 8192;

/** Headers to remove from responses. */
@schema('{"type": "array", "maxItems": 64, "items": {"type": "string"}}')
@final
export class Removals {
  names: Bytes[] = [
    Bytes.of("server"), Bytes.of("x-powered-by"), Bytes.of("x-aspnet-version"),
  ];

  read(json: JsonReader): void {
    this.names = [];
    json.openArray();
    while (json.nextItem()) {
      const name = json.readString();
      if (this.names.length == REMOVALS_MAX) json.refuse("is one name too many");
      if (!isHeaderName(name) || isProxyHeader(name)) json.refuse("cannot be removed");
      this.names.push(name);
    }
  }
}

/** A header's value. Without one the preset's stands; an empty one leaves the header out. */
@schema('{"type": "string", "maxLength": 8192}')
@final
export class Value {
  text: Bytes | null = null;

  read(json: JsonReader): void {
    const text = json.readString();
    json.checkLength(text.length, 0, VALUE_BYTES_MAX, "bytes");
    if (!isHeaderValue(text)) json.refuse("holds a control character");
    this.text = text;
  }
}

/** Headers that tell browsers what they must not do. */
@config
export class Settings {
  /** The values to begin with. */
  preset!: Preset;
  /** Sent over https only. */
  strictTransportSecurity: Value = new Value();
  contentSecurityPolicy: Value = new Value();
  contentSecurityPolicyReportOnly: Value = new Value();
  xContentTypeOptions: Value = new Value();
  xFrameOptions: Value = new Value();
  referrerPolicy: Value = new Value();
  permissionsPolicy: Value = new Value();
  crossOriginOpenerPolicy: Value = new Value();
  crossOriginEmbedderPolicy: Value = new Value();
  crossOriginResourcePolicy: Value = new Value();
  /** Where reports go that a policy speaks of. */
  reportingEndpoints: Value = new Value();
  /** Headers to remove from responses. */
  remove: Removals = new Removals();
  /** Whether to replace what the application sets. */
  overwrite: bool = false;
  /** Whether each response has a nonce, which stands for {nonce} in the policies. */
  nonce: bool = false;
  /** The request header that tells the application the nonce. */
  @min(1) @max(256) nonceHeader: Bytes = Bytes.of("x-csp-nonce");
  /** Whose responses get the headers; all if not given. */
  when: RequestMatch | null = null;

  check(json: JsonReader): void {
    const isTarget = isHeaderName(this.nonceHeader) && !isProxyHeader(this.nonceHeader);
    if (!isTarget) json.refuse("has a nonceHeader that cannot be set");
    if (!this.nonce && this.holdsNonce()) json.refuse("has {nonce} in a policy, but no nonce");
    const hsts = this.strictTransportSecurity.text;
    const isHsts = hsts == null || hsts.isEmpty || hsts.startsWith("max-age=");
    if (!isHsts) json.refuse("has strictTransportSecurity without max-age at its beginning");
  }

  private holdsNonce(): bool {
    const policy = this.contentSecurityPolicy.text;
    const report = this.contentSecurityPolicyReportOnly.text;
    return (policy != null && policy.contains(NONCE))
      || (report != null && report.contains(NONCE));
  }
}
