import { Bytes, ByteWriter, cookieIn, hash32, Pairs, random64 } from "@weft/sdk/assembly";
import { Cookie, Testers, Settings } from "./settings";
import { nameOf, Version } from "./version";

/** Shares of users that can be told apart: hundredths of a percent. */
const BUCKETS: u32 = 10_000;

/** What the bucket of a request is where nothing told it and none was drawn. */
const NO_BUCKET: i32 = -1;

/**
 * Chooses the version for requests. Users lie in buckets for good, and the canary gets the first
 * ones: as its share grows, users come to it and nobody leaves.
 */
@final
export class Chooser {
  /** The bucket that was drawn for the last request, to be kept in the cookie; or NO_BUCKET. */
  drawn: i32 = NO_BUCKET;

  private readonly canaryBuckets: i32;
  private readonly seed: u32;
  private readonly attributes: Bytes;

  constructor(private readonly settings: Settings) {
    this.canaryBuckets = <i32>Math.round(settings.percent * <f64>(BUCKETS / 100));
    this.seed = hash32(settings.name);
    this.attributes = attributesOf(settings.cookie);
  }

  choose(request: Pairs): Version {
    this.drawn = NO_BUCKET;
    const testers = this.settings.testers;
    const chosen = testers != null ? chosenBy(testers, request) : -1;
    if (chosen >= 0) return <Version>chosen;
    if (this.canaryBuckets == 0) return Version.Stable;
    if (this.canaryBuckets == BUCKETS) return Version.Canary;
    const bucket = this.bucketOf(request);
    const isCanary = bucket != NO_BUCKET && bucket < this.canaryBuckets;
    return isCanary ? Version.Canary : Version.Stable;
  }

  private bucketOf(request: Pairs): i32 {
    const cookies = request.get("cookie");
    const key = this.keyOf(request, cookies);
    if (key != null && !key.isEmpty) return hash32(key, this.seed) % BUCKETS;
    const name = this.settings.cookie.name;
    if (name.isEmpty) return NO_BUCKET;
    const kept = cookies != null ? cookieIn(cookies, name) : null;
    const bucket = kept != null ? kept.toInteger(NO_BUCKET) : NO_BUCKET;
    if (bucket >= 0 && bucket < <i64>BUCKETS) return <i32>bucket;
    this.drawn = <i32>(random64() % BUCKETS);
    return this.drawn;
  }

  /** What this user is told apart by; nothing that has no name is ever found. */
  private keyOf(request: Pairs, cookies: Bytes | null): Bytes | null {
    const key = this.settings.key;
    const header = request.getJoined(key.header);
    if (header != null && !header.isEmpty) return header;
    return cookies != null ? cookieIn(cookies, key.cookie) : null;
  }

  /** The value of `set-cookie` that keeps a bucket. */
  cookieOf(bucket: i32): Bytes {
    const cookie = new ByteWriter().text(this.settings.cookie.name).byte(0x3d);
    return cookie.integer(bucket).text(this.attributes).finish();
  }
}

/** The version that a tester has chosen, or -1. What has no name is never found. */
function chosenBy(testers: Testers, request: Pairs): i32 {
  const header = request.getJoined(testers.header);
  const version = header != null ? versionIn(header, testers.secret) : -1;
  if (version >= 0) return version;
  const cookies = request.get("cookie");
  const cookie = cookies != null ? cookieIn(cookies, testers.cookie) : null;
  return cookie != null ? versionIn(cookie, testers.secret) : -1;
}

/** The version that a text names, with the secret behind a colon if there is one; or -1. */
function versionIn(text: Bytes, secret: Bytes): i32 {
  const version = text.startsWith(nameOf(Version.Canary)) ? Version.Canary : Version.Stable;
  const name = nameOf(version);
  if (!text.startsWith(name)) return -1;
  if (secret.isEmpty) return text.length == name.length ? version : -1;
  const isKnown = text.at(name.length) == 0x3a
    && text.slice(name.length + 1).equalsInConstantTime(secret);
  return isKnown ? version : -1;
}

/** What stands behind the value of the cookie. */
function attributesOf(cookie: Cookie): Bytes {
  const text = new ByteWriter().text("; Path=").text(cookie.path);
  if (!cookie.domain.isEmpty) text.text("; Domain=").text(cookie.domain);
  if (cookie.maxAgeSeconds > 0) text.text("; Max-Age=").integer(cookie.maxAgeSeconds);
  text.text("; HttpOnly; SameSite=").text(cookie.sameSite.text);
  if (cookie.secure) text.text("; Secure");
  return text.finish();
}
