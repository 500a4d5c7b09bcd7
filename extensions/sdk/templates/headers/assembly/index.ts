import { Action, Bytes, config, filter, Headers, HttpFilter, min } from "@weft/sdk/assembly";

/** Which hosts have tenants, and where the upstream looks for them. */
@config
class Settings {
  /** The domain below which each label is a tenant. */
  @min(1) domain!: string;
  /** The header that names the tenant. */
  @min(1) header: string = "x-tenant";
}

/**
 * Puts the tenant of a request into a header: `shop.example.com` belongs to `shop`. What the
 * client has put there is removed, so that nobody passes for another tenant.
 */
@filter("plugin-name")
export class Tenants extends HttpFilter<Settings> {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const tenant = this.tenantOf(headers.get(":authority"));
    if (tenant == null) headers.remove(this.config.header);
    else headers.set(this.config.header, tenant);
    return Action.Continue;
  }

  onResponseHeaders(headers: Headers, _endOfStream: bool): Action {
    headers.remove("x-powered-by");
    return Action.Continue;
  }

  /** What stands before ".<domain>", if it is one label. */
  private tenantOf(authority: Bytes | null): Bytes | null {
    if (authority == null) return null;
    const colon = authority.indexOfByte(0x3a);
    const host = colon < 0 ? authority : authority.slice(0, colon);
    const dot = host.indexOfByte(0x2e);
    const isBelow = dot > 0 && host.slice(dot + 1).equalsIgnoringCase(this.config.domain);
    return isBelow ? host.slice(0, dot) : null;
  }
}
