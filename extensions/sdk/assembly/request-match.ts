import { Bytes } from "./bytes";
import { cookieIn } from "./cookies";
import { config, max, schema } from "./decorators";
import { JsonReader } from "./json-reader";
import { Pairs } from "./pairs";
import { queryParameter, withoutQuery } from "./query";
import { TextMatch } from "./text-match";

/** Names of one map; each is looked for on every request that gets so far. */
const NAMES_MAX: i32 = 64;

/** Matches by name, all of which must hold. */
@schema('{"type": "object", "additionalProperties": {"type": ["string", "object"]}}')
@final
export class NamedMatches {
  readonly names: Bytes[] = [];
  readonly matches: TextMatch[] = [];

  read(json: JsonReader): void {
    json.openObject();
    while (json.nextMember()) {
      if (this.names.length == NAMES_MAX) json.refuse("is one name too many");
      this.names.push(json.name);
      const match = new TextMatch();
      match.read(json);
      this.matches.push(match);
    }
  }

  @inline
  get size(): i32 {
    return this.names.length;
  }
}

/** What a request must be like; all that is said must hold. */
@config
@final
export class RequestMatch {
  /** The path without its query. */
  path: TextMatch | null = null;
  /** One of these methods. */
  @max(16) methods: Array<Bytes> = new Array<Bytes>();
  /** Headers by name. One that is repeated is one text with commas. */
  headers: NamedMatches = new NamedMatches();
  /** Parameters of the query by name, decoded; of one that is repeated, the first. */
  query: NamedMatches = new NamedMatches();
  /** Cookies by name; of one that is repeated, the first. */
  cookies: NamedMatches = new NamedMatches();

  /** Whether a request is like this: pass all its headers, copied once for all matches. */
  holds(request: Pairs): bool {
    const path = this.path;
    if (path != null && !path.matches(pathOf(request))) return false;
    if (this.methods.length > 0 && !this.hasMethod(request.get(":method"))) return false;
    return this.holdsHeaders(request)
      && (this.query.size == 0 || this.holdsQuery(request))
      && (this.cookies.size == 0 || this.holdsCookies(request));
  }

  private hasMethod(method: Bytes | null): bool {
    if (method == null) return false;
    for (let i = 0; i < this.methods.length; i++) {
      if (method.equals(unchecked(this.methods[i]))) return true;
    }
    return false;
  }

  private holdsHeaders(request: Pairs): bool {
    for (let i = 0; i < this.headers.size; i++) {
      const value = request.getJoined(unchecked(this.headers.names[i]));
      if (!unchecked(this.headers.matches[i]).matches(value)) return false;
    }
    return true;
  }

  private holdsQuery(request: Pairs): bool {
    const path = request.get(":path");
    for (let i = 0; i < this.query.size; i++) {
      const name = unchecked(this.query.names[i]);
      const value = path != null ? queryParameter(path, name) : null;
      if (!unchecked(this.query.matches[i]).matches(value)) return false;
    }
    return true;
  }

  private holdsCookies(request: Pairs): bool {
    const header = request.get("cookie");
    for (let i = 0; i < this.cookies.size; i++) {
      const name = unchecked(this.cookies.names[i]);
      const value = header != null ? cookieIn(header, name) : null;
      if (!unchecked(this.cookies.matches[i]).matches(value)) return false;
    }
    return true;
  }
}

function pathOf(request: Pairs): Bytes | null {
  const path = request.get(":path");
  return path != null ? withoutQuery(path) : null;
}
