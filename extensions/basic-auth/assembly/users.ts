import { Bytes, hash32, hmacSha256, random64 } from "@weft/sdk/assembly";
import { PasswordHash } from "./password-hash";

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
  private readonly key: Bytes;

  constructor(hashes: Map<string, PasswordHash>) {
    let slots = 16;
    while (slots < 2 * hashes.size) slots *= 2;
    this.slots = new StaticArray<i32>(slots);
    this.mask = slots - 1;
    this.seed = <u32>random64();
    const key = new ArrayBuffer(16);
    store<u64>(changetype<usize>(key), random64());
    store<u64>(changetype<usize>(key), random64(), 8);
    this.key = Bytes.owned(key);
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

  /** What is remembered of a password that was right. */
  digest(password: Bytes): Bytes {
    return hmacSha256(this.key, password);
  }
}
