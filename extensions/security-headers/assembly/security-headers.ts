import {
  Action, Background, Bytes, filter, Headers, HttpFilter, logError, Pairs, random64,
  toBase64,
} from "@weft/sdk/assembly";
import { Policy } from "./policy";
import {
  CONTENT_TYPE_OPTIONS, CSP, CSP_REPORT_ONLY, EMBEDDER_POLICY, FRAME_OPTIONS, HSTS,
  OPENER_POLICY, PERMISSIONS_POLICY, REFERRER_POLICY, RESOURCE_POLICY,
} from "./preset";
import { Settings, Value } from "./settings";

/** Bytes of a nonce: nobody guesses one of 2^128 (CSP Level 3, "Nonces"). */
const NONCE_BYTES: i32 = 16;

/** The nonce that is being drawn. */
const drawn = memory.data(NONCE_BYTES, 8);

/** Holds the headers with their values, put together when the plugin is configured. */
@filter("security-headers")
export class SecurityHeaders extends Background<Settings> {
  readonly policies: Policy[] = [];
  /** Sent over https only: a browser that cannot get there could not come back. */
  transport: Policy | null = null;

  onConfigure(): bool {
    const settings = this.config;
    this.transport = this.policyOf(HSTS, settings.strictTransportSecurity);
    this.add(CSP, settings.contentSecurityPolicy);
    this.add(CSP_REPORT_ONLY, settings.contentSecurityPolicyReportOnly);
    this.add(CONTENT_TYPE_OPTIONS, settings.xContentTypeOptions);
    this.add(FRAME_OPTIONS, settings.xFrameOptions);
    this.add(REFERRER_POLICY, settings.referrerPolicy);
    this.add(PERMISSIONS_POLICY, settings.permissionsPolicy);
    this.add(OPENER_POLICY, settings.crossOriginOpenerPolicy);
    this.add(EMBEDDER_POLICY, settings.crossOriginEmbedderPolicy);
    this.add(RESOURCE_POLICY, settings.crossOriginResourcePolicy);
    this.add("reporting-endpoints", settings.reportingEndpoints);
    if (!settings.nonce || this.hasNonce) return true;
    logError("security-headers: nonce is on, but no policy holds {nonce}");
    return false;
  }

  private get hasNonce(): bool {
    for (let i = 0; i < this.policies.length; i++) if (this.policies[i].hasNonce) return true;
    return false;
  }

  private add(header: string, value: Value): void {
    const policy = this.policyOf(header, value);
    if (policy != null) this.policies.push(policy);
  }

  private policyOf(header: string, value: Value): Policy | null {
    const own = value.text;
    const preset = this.config.preset.valueOf(header, this.config.nonce);
    const text = own != null ? own : Bytes.of(preset);
    return text.isEmpty ? null : new Policy(Bytes.of(header), text);
  }
}

/** Puts the headers on one response. */
@filter("security-headers")
export class Guard extends HttpFilter<Settings> {
  private isIn: bool = true;
  private isHttps: bool = false;
  private nonce: Bytes | null = null;

  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const settings = this.config;
    const when = settings.when;
    if (when != null) this.isIn = when.holds(headers.all());
    const scheme = this.isIn ? headers.get(":scheme") : null;
    this.isHttps = scheme != null && scheme.equals("https");
    if (!settings.nonce) return Action.Continue;
    if (!this.isIn) {
      // What a client wrote there is no nonce.
      headers.remove(settings.nonceHeader);
      return Action.Continue;
    }
    const nonce = drawNonce();
    this.nonce = nonce;
    if (nonce == null) headers.remove(settings.nonceHeader);
    else headers.set(settings.nonceHeader, nonce);
    return Action.Continue;
  }

  onResponseHeaders(headers: Headers, _endOfStream: bool): Action {
    if (!this.isIn) return Action.Continue;
    const settings = this.config;
    const plugin = changetype<SecurityHeaders>(this.plugin);
    const response = headers.all();
    const removed = settings.remove.names;
    for (let i = 0; i < removed.length; i++) {
      const name = unchecked(removed[i]);
      if (response.indexOf(name, 0) >= 0) headers.remove(name);
    }
    const transport = this.isHttps ? plugin.transport : null;
    if (transport != null) this.put(headers, response, transport);
    for (let i = 0; i < plugin.policies.length; i++) {
      this.put(headers, response, unchecked(plugin.policies[i]));
    }
    return Action.Continue;
  }

  private put(headers: Headers, response: Pairs, policy: Policy): void {
    if (!this.config.overwrite && response.indexOf(policy.header, 0) >= 0) return;
    headers.set(policy.header, policy.valueWith(this.nonce));
  }
}

/**
 * A new nonce, or null where the host has no chance to give. It is owned: the response that tells
 * it comes in another callback.
 */
function drawNonce(): Bytes | null {
  const first = random64();
  const second = random64();
  if (first == 0 && second == 0) return null;
  store<u64>(drawn, first);
  store<u64>(drawn, second, 8);
  return toBase64(Bytes.view(drawn, NONCE_BYTES)).copy();
}
