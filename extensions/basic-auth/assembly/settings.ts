import { Bytes, config, isHeaderName, isPathPattern, JsonReader, max, min } from
  "@weft/sdk/assembly";
import { PasswordHash } from "./password-hash";

/** Who may come in, and what becomes of the request. */
@config
export class Settings {
  /** The hash of each user's password, by the user's name. */
  @min(1) @max(1000) users!: Map<string, PasswordHash>;
  /** What browsers show when they ask for a password. */
  @min(1) @max(128) realm: string = "restricted";
  /** The header that tells the upstream the user's name; none if empty. Forged ones are removed. */
  @max(64) userHeader: Bytes = Bytes.of("");
  /** Whether the upstream gets the password as well, in `authorization`. */
  forward: bool = false;
  /** Paths that need no password: `/healthz`, or `/public/*` for all that begin so. */
  @max(100) exempt: Array<Bytes> = new Array<Bytes>();
  /** Passwords hashed a second, by each worker; 0 for any number. Those seen before are not. */
  @max(10000) attemptsPerSecond: u32 = 20;

  check(json: JsonReader): void {
    const names = this.users.keys();
    for (let i = 0; i < names.length; i++) {
      if (isName(names[i])) continue;
      json.refuse("has a user whose name is empty or has a colon or controls");
    }
    if (!isQuotable(this.realm)) {
      json.refuse("must not have quotes, backslashes or controls in realm");
    }
    if (!this.userHeader.isEmpty && !isHeaderName(this.userHeader)) {
      json.refuse("has a userHeader that is no name of a header");
    }
    for (let i = 0; i < this.exempt.length; i++) {
      if (!isPathPattern(this.exempt[i])) {
        json.refuse("must have paths in exempt that begin with / and have a * at the end only");
      }
    }
  }
}

/** RFC 7617 §2: a colon would end the name. */
function isName(name: string): bool {
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    if (unit < 0x20 || unit == 0x7f || unit == 0x3a) return false;
  }
  return name.length > 0;
}

function isQuotable(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit == 0x7f || unit == 0x22 || unit == 0x5c) return false;
  }
  return true;
}
