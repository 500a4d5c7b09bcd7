import { Bytes, hash32, random64, sha256 } from "@weft/sdk/assembly";
import { CREDENTIALS_BYTES_MAX } from "./credentials";
import { PasswordHash } from "./password-hash";

/** Random bytes in front of a password whose digest is remembered. */
const KEY_BYTES: i32 = 16;

/** Somebody who may come in. */
@final
export class User {
  /** The password that was right last, under a key that only this VM has; empty if none was. */
  private known: Bytes = Bytes.of("");

  constructor(
    readonly name: Bytes,
    readonly hash: PasswordHash,
  ) {}

  knows(digest: Bytes): bool {
    return this.known.equalsInConstantTime(digest);
  }

  learn(digest: Bytes): void {
    this.known = digest.copy();
  }
}

/** All who may come in, found by their names. */
@final
export class Users {
  private readonly users: User[] = [];
  /** By the hash of a name: the user's number and one, in the first free slot from there on. */
  private readonly slots: StaticArray<i32>;
  private readonly mask: u32;
  /** Nobody outside can make names that fall into one slot, or digests. */
  private readonly seed: u32;
  /** Random bytes, and room for a password behind them. */
  private readonly keyed: Bytes;

  constructor(hashes: Map<string, PasswordHash>) {
    let slots = 16;
    while (slots < 2 * hashes.size) slots *= 2;
    this.slots = new StaticArray<i32>(slots);
    this.mask = slots - 1;
    this.seed = <u32>random64();
    const keyed = Bytes.owned(new ArrayBuffer(KEY_BYTES + CREDENTIALS_BYTES_MAX));
    store<u64>(keyed.start, random64());
    store<u64>(keyed.start, random64(), 8);
    this.keyed = keyed;
    const names = hashes.keys();
    for (let i = 0; i < names.length; i++) this.add(names[i], hashes.get(names[i]));
  }

  private add(name: string, hash: PasswordHash): void {
    const user = new User(Bytes.of(name), hash);
    this.users.push(user);
    let slot = hash32(user.name, this.seed) & this.mask;
    while (this.slots[slot] != 0) slot = (slot + 1) & this.mask;
    this.slots[slot] = this.users.length;
  }

  /** The user of this name, or null. */
  find(name: Bytes): User | null {
    let slot = hash32(name, this.seed) & this.mask;
    while (this.slots[slot] != 0) {
      const user = this.users[this.slots[slot] - 1];
      if (user.name.equals(name)) return user;
      slot = (slot + 1) & this.mask;
    }
    return null;
  }

  /** A user to check the password of a stranger against, always the same one for a name. */
  decoy(name: Bytes): User {
    return this.users[hash32(name, ~this.seed) % this.users.length];
  }

  /** What is remembered of a password that was right; it never leaves this VM. */
  digest(password: Bytes): Bytes {
    const room = this.keyed.start + KEY_BYTES;
    memory.copy(room, password.start, password.length);
    const digest = sha256(Bytes.view(this.keyed.start, KEY_BYTES + password.length));
    memory.fill(room, 0, password.length);
    return digest;
  }
}
