import {
  Bytes, config, isHeaderName, isHeaderValue, isProxyHeader, JsonReader, max, min, RequestMatch,
  schema,
} from "@weft/sdk/assembly";

/** Which sites a browser sends a cookie for. */
@schema('{"enum": ["Lax", "Strict", "None"], "default": "Lax"}')
export class SameSite {
  text: string = "Lax";

  read(json: JsonReader): void {
    const choice = json.readChoice(["Lax", "Strict", "None"]);
    this.text = choice == 0 ? "Lax" : choice == 1 ? "Strict" : "None";
  }
}

/** The cookie that keeps users where they are. */
@config
export class Cookie {
  /** Its name; empty for no cookie: who has no key gets the stable version then. */
  @max(128) name: Bytes = Bytes.of("canary");
  /** How long it lives; 0 for as long as the browser runs. */
  @max(34560000) maxAgeSeconds: u32 = 2592000;
  @min(1) @max(256) path: Bytes = Bytes.of("/");
  @max(253) domain: Bytes = Bytes.of("");
  /** Whether browsers send it over TLS only. */
  secure: bool = true;
  sameSite: SameSite = new SameSite();

  check(json: JsonReader): void {
    if (!this.name.isEmpty && !isHeaderName(this.name)) json.refuse("has a name that is none");
    if (!isAttribute(this.path) || !isAttribute(this.domain)) {
      json.refuse("has a path or domain with a semicolon or a control character");
    }
    const isOpen = this.sameSite.text == "None" && !this.secure;
    if (isOpen) json.refuse("has sameSite None, which browsers take with secure only");
  }
}

/** What users are told apart by. */
@config
export class Key {
  /** A request header; empty for none. */
  @max(256) header: Bytes = Bytes.of("");
  /** A cookie, where there is no such header; empty for none. */
  @max(128) cookie: Bytes = Bytes.of("");

  check(json: JsonReader): void {
    checkName(json, this.header, "header");
  }
}

/** How testers choose their version: `canary` or `stable`, and `:secret` behind it if there is. */
@config
export class Testers {
  /** A request header; empty for none. It does not reach the upstream. */
  @max(256) header: Bytes = Bytes.of("");
  /** A cookie; empty for none. */
  @max(128) cookie: Bytes = Bytes.of("");
  /** What must stand behind the version; nothing if it is empty. */
  @max(256) secret: Bytes = Bytes.of("");

  check(json: JsonReader): void {
    checkName(json, this.header, "header");
    if (this.header.isEmpty && this.cookie.isEmpty) json.refuse("names no header and no cookie");
  }
}

/** Who gets the canary. */
@config
export class Settings {
  /** How many users get the canary: up to two digits behind the point count. */
  @min(0) @max(100) percent!: f64;
  /** The canary's name: users fall differently under another one. It is a label of the metric. */
  @min(1) @max(64) name: Bytes = Bytes.of("canary");
  /** What users are told apart by; without it, by a random number in the cookie. */
  key: Key = new Key();
  cookie: Cookie = new Cookie();
  testers: Testers | null = null;
  /** Which requests take part; all if not given. */
  when: RequestMatch | null = null;
  /** The request header that gets `canary` or `stable`, and no other value. */
  @min(1) @max(256) header: Bytes = Bytes.of("x-canary");
  /** Whether the response gets the header, too. */
  respond: bool = false;

  check(json: JsonReader): void {
    checkName(json, this.header, "header");
    if (!isHeaderValue(this.name)) json.refuse("has a name with a control character");
  }
}

function checkName(json: JsonReader, name: Bytes, setting: string): void {
  const isTarget = isHeaderName(name) && !isProxyHeader(name);
  if (!name.isEmpty && !isTarget) json.refuse("has a " + setting + " that cannot be used");
}

/** Whether a text can be an attribute of a cookie. */
function isAttribute(text: Bytes): bool {
  return isHeaderValue(text) && text.indexOfByte(0x3b) < 0;
}
