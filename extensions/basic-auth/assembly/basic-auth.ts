import {
  Action, Background, Bytes, Counter, counter, counterWith, filter, GrpcStatus, HeaderList,
  Headers, HttpFilter, isPlainPath, matchesPath,
} from "@weft/sdk/assembly";
import { Attempts } from "./attempts";
import { decodedCredentials } from "./credentials";
import { Settings } from "./settings";
import { User, Users } from "./users";

/** Requests that came in with a password, and on a path that needs none. */
const allowed = counter("basic_auth_allowed_total");
const exempted = counter("basic_auth_exempt_total");

/** Requests that were turned away, by the reason: missing, malformed, wrong, limited. */
const denied = counterWith("basic_auth_denied_total", ["reason"]);

enum Verdict { Missing, Malformed, Wrong, Limited, Allowed }

/** The counters of those turned away, by verdict. */
const byVerdict = new Array<Counter>();

/** Holds what all streams share. */
@filter("basic-auth")
export class Doorkeeper extends Background<Settings> {
  users!: Users;
  attempts!: Attempts;
  challenge!: HeaderList;
  later!: HeaderList;
  userHeader!: Bytes;

  onConfigure(): bool {
    const config = this.config;
    this.users = new Users(config.users);
    this.attempts = new Attempts(config.attemptsPerSecond);
    this.userHeader = config.userHeader.toLowerCase().copy();
    const value = 'Basic realm="' + config.realm + '", charset="UTF-8"';
    this.challenge = new HeaderList().add("www-authenticate", value);
    this.later = new HeaderList().add("retry-after", "1");
    for (let verdict = byVerdict.length; verdict < Verdict.Allowed; verdict++) {
      byVerdict.push(denied.label(reasonOf(verdict)).get());
    }
    return true;
  }
}

/**
 * Lets only those in who know a password (RFC 7617):
 *
 *     {"users": {"ann": "$pbkdf2-sha256$i=10000$c2FsdHNhbHQ$…"}, "userHeader": "x-user"}
 */
@filter("basic-auth")
export class BasicAuth extends HttpFilter<Settings> {
  /** Who says to ask. */
  private user: User | null = null;

  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const doorkeeper = changetype<Doorkeeper>(this.plugin);
    const userHeader = doorkeeper.userHeader;
    let path: Bytes | null = null;
    let credentials: Bytes | null = null;
    let isAmbiguous = false;
    let isForged = false;
    const pairs = headers.all();
    while (pairs.next()) {
      const name = pairs.name;
      if (name.equals("authorization")) {
        isAmbiguous = isAmbiguous || credentials != null;
        credentials = pairs.value;
      } else if (name.equals(":path")) path = pairs.value;
      else if (!userHeader.isEmpty && name.equals(userHeader)) isForged = true;
    }
    if (isForged) headers.remove(userHeader);
    if (path != null && isExempt(path, this.config.exempt)) {
      exempted.inc();
      return Action.Continue;
    }
    const verdict = isAmbiguous ? Verdict.Malformed : this.judge(doorkeeper, credentials);
    return verdict == Verdict.Allowed ? this.allow(headers, userHeader) : this.deny(verdict);
  }

  private judge(doorkeeper: Doorkeeper, credentials: Bytes | null): Verdict {
    if (credentials == null) return Verdict.Missing;
    const decoded = decodedCredentials(credentials);
    if (decoded == null) return Verdict.Malformed;
    const colon = decoded.indexOfByte(0x3a);
    const name = decoded.slice(0, colon);
    const password = decoded.slice(colon + 1);
    const users = doorkeeper.users;
    const digest = users.digest(password);
    const found = users.find(name);
    this.user = found;
    if (found != null && found.knows(digest)) return Verdict.Allowed;
    if (!doorkeeper.attempts.take()) return Verdict.Limited;
    // Of a stranger as much is computed as of a user, so that time does not tell who is one.
    const user = found == null ? users.decoy(name) : found;
    const isRight = user.hash.matches(password);
    if (!isRight || found == null) return Verdict.Wrong;
    found.learn(digest);
    return Verdict.Allowed;
  }

  private allow(headers: Headers, userHeader: Bytes): Action {
    allowed.inc();
    const user = this.user;
    if (!this.config.forward) headers.remove("authorization");
    if (user != null && !userHeader.isEmpty) headers.set(userHeader, user.name);
    return Action.Continue;
  }

  private deny(verdict: Verdict): Action {
    byVerdict[verdict].inc();
    const doorkeeper = changetype<Doorkeeper>(this.plugin);
    if (verdict == Verdict.Limited) {
      return this.respond<string>(
        429, "too many passwords\n", doorkeeper.later, GrpcStatus.None, "basic_auth_limited",
      );
    }
    return this.respond<string>(
      401, "a password is needed\n", doorkeeper.challenge, GrpcStatus.None, "basic_auth_denied",
    );
  }
}

/** A path that an upstream might take for another one is not. */
function isExempt(path: Bytes, patterns: Bytes[]): bool {
  if (patterns.length == 0 || !isPlainPath(path)) return false;
  for (let i = 0; i < patterns.length; i++) if (matchesPath(path, patterns[i])) return true;
  return false;
}

function reasonOf(verdict: Verdict): string {
  switch (verdict) {
    case Verdict.Missing: return "missing";
    case Verdict.Malformed: return "malformed";
    case Verdict.Limited: return "limited";
    default: return "wrong";
  }
}
