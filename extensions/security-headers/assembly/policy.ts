import { Bytes, room } from "@weft/sdk/assembly";
import { NONCE } from "./settings";

/** A header with its value, which may have a nonce in it. */
@final
export class Policy {
  private readonly pieces: Bytes[] = [];

  constructor(
    readonly header: Bytes,
    private readonly text: Bytes,
  ) {
    let from = 0;
    for (let at = text.indexOf(NONCE); at >= 0; at = text.indexOf(NONCE, from)) {
      this.pieces.push(text.slice(from, at));
      from = at + NONCE.length;
    }
    this.pieces.push(text.slice(from));
  }

  get hasNonce(): bool {
    return this.pieces.length > 1;
  }

  /** The value. One without a nonce where there should be one allows no script. */
  valueWith(nonce: Bytes | null): Bytes {
    const count = this.pieces.length;
    if (count == 1) return this.text;
    const nonceLength = nonce != null ? nonce.length : 0;
    const length = this.text.length + (count - 1) * (nonceLength - NONCE.length);
    const whole = room(length);
    if (whole.length < length) return this.text;
    let at = whole.start;
    for (let i = 0; i < count; i++) {
      if (i > 0 && nonce != null) {
        memory.copy(at, nonce.start, nonceLength);
        at += nonceLength;
      }
      const piece = unchecked(this.pieces[i]);
      memory.copy(at, piece.start, piece.length);
      at += piece.length;
    }
    return whole;
  }
}
