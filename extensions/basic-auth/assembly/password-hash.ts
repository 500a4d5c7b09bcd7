import {
  Bytes, ByteWriter, fromBase64, JsonReader, pbkdf2Sha256, schema, sha256,
} from "@weft/sdk/assembly";

/** A tenth of a second of a worker, in which it does nothing else. */
const ROUNDS_MAX: i64 = 100_000;

/** Fewer are no more work than none. */
const ROUNDS_MIN: i64 = 1_000;

/** A shorter salt may be another user's too, and a longer one adds nothing. */
const SALT_BYTES_MIN: i32 = 8;
const SALT_BYTES_MAX: i32 = 64;

const HASH_BYTES: i32 = 32;

/**
 * What is known of a password: `$pbkdf2-sha256$i=<rounds>$<salt>$<hash>`, or the SHA-256 of salt
 * and password as `$sha256$<salt>$<hash>`; salt and hash are in base64.
 */
@schema('{"type": "string", "pattern": \
"^\\\\$(pbkdf2-sha256\\\\$i=[0-9]{4,6}|sha256)\\\\$[A-Za-z0-9+/]+=*\\\\$[A-Za-z0-9+/]+=*$"}')
export class PasswordHash {
  /** Rounds of PBKDF2; 0 for SHA-256. */
  private rounds: u32 = 0;
  private salt: Bytes = Bytes.of("");
  private hash: Bytes = Bytes.of("");

  /** Reads it, and says nothing of what it reads: a refusal stands in logs. */
  read(json: JsonReader): void {
    const parts = json.readString().split("$");
    const isBegun = parts.next() && parts.part.isEmpty && parts.next();
    const isSlow = isBegun && parts.part.equals("pbkdf2-sha256");
    if (!isSlow && !(isBegun && parts.part.equals("sha256"))) {
      json.refuse("must begin with $pbkdf2-sha256$ or $sha256$");
      return;
    }
    if (isSlow) this.readRounds(json, parts.next() ? parts.part : Bytes.of(""));
    const salt = parts.next() ? fromBase64(parts.part) : null;
    const hash = parts.next() ? fromBase64(parts.part) : null;
    if (salt == null || salt.length < SALT_BYTES_MIN || salt.length > SALT_BYTES_MAX) {
      json.refuse("must have a salt of 8 to 64 bytes in base64");
    } else if (hash == null || hash.length != HASH_BYTES || parts.next()) {
      json.refuse("must end with a hash of 32 bytes in base64");
    } else {
      this.salt = salt.copy();
      this.hash = hash.copy();
    }
  }

  private readRounds(json: JsonReader, part: Bytes): void {
    const rounds = part.startsWith("i=") ? part.slice(2).toInteger(-1) : -1;
    if (rounds < ROUNDS_MIN || rounds > ROUNDS_MAX) {
      json.refuse("must have i=1000 to i=100000 rounds");
    } else this.rounds = <u32>rounds;
  }

  /** Whether it is this password. Takes as long for any. */
  matches(password: Bytes): bool {
    if (this.rounds > 0) {
      return this.hash.equalsInConstantTime(pbkdf2Sha256(password, this.salt, this.rounds));
    }
    const salted = new ByteWriter(SALT_BYTES_MAX + 64).text(this.salt).text(password).finish();
    return this.hash.equalsInConstantTime(sha256(salted));
  }
}
