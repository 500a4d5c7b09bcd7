import { Bytes, Headers } from "@weft/sdk/assembly";

/**
 * The headers that belong to the plugin: whatever rule decides, none of them reaches the upstream
 * as the client has sent it.
 */
@final
export class OwnedHeaders {
  private readonly names: Bytes[] = [];
  /** Which lengths names have: of most headers that is all that must be looked at. */
  private lengths: u64 = 0;
  /** Whether each was there. */
  private readonly isThere: bool[] = [];

  add(names: Bytes[]): void {
    for (let i = 0; i < names.length; i++) {
      if (this.indexOf(names[i]) >= 0) continue;
      this.names.push(names[i]);
      this.isThere.push(false);
      this.lengths |= bitOf(names[i]);
    }
  }

  /** Removes all of them from a request. */
  removeFrom(headers: Headers): void {
    if (this.names.length == 0) return;
    let isAny = false;
    const pairs = headers.all();
    while (pairs.next()) {
      const name = pairs.name;
      if ((this.lengths & bitOf(name)) == 0) continue;
      const index = this.indexOf(name);
      if (index < 0) continue;
      this.isThere[index] = true;
      isAny = true;
    }
    for (let i = 0; isAny && i < this.names.length; i++) {
      if (!this.isThere[i]) continue;
      this.isThere[i] = false;
      headers.remove(this.names[i]);
    }
  }

  private indexOf(name: Bytes): i32 {
    for (let i = 0; i < this.names.length; i++) if (this.names[i].equals(name)) return i;
    return -1;
  }
}

/** Lengths from 64 on share bits with shorter ones. */
@inline
function bitOf(name: Bytes): u64 {
  return (1 as u64) << (name.length & 63);
}
