import { Body, Bytes } from "@weft/sdk/assembly";
import { BodyHeaders } from "./body-headers";
import { count } from "./counters";
import { Rules } from "./rules";
import { Scanner } from "./scanner";

/** What is to become of a piece. */
export enum Outcome {
  Pass,
  /** It waits for the rest, which the host keeps. */
  Wait,
  /** It must not go on. */
  Stop,
}

/** A body on its way through the scanner. */
@final
export class Passage {
  private readonly rules: Rules;
  private readonly scanner: Scanner;
  /** How many bytes are looked at, and what happens then. */
  private readonly bytesMax: u64;
  private readonly isRefusedBeyond: bool;
  private readonly isDryRun: bool;
  /** Bytes that are to come, where the headers told; -1 otherwise. */
  private left: i64;
  /**
   * Whether the host keeps all pieces until the last one: where trailers are announced, which come
   * when nothing can be added to the body any more.
   */
  private readonly waits: bool;
  private seen: u64 = 0;
  private isOver: bool = false;

  constructor(rules: Rules, headers: BodyHeaders, bytesMax: u64, isRefusedBeyond: bool) {
    this.rules = rules;
    this.scanner = rules.takeScanner(headers.isJson);
    this.bytesMax = bytesMax;
    this.isRefusedBeyond = isRefusedBeyond;
    this.isDryRun = rules.isDryRun;
    this.left = headers.length;
    this.waits = headers.length < 0 && headers.announcesTrailers && !rules.isDryRun;
  }

  /** A piece has come; after it has waited, all that has come. */
  take(body: Body, size: u32, isEnd: bool): Outcome {
    if (this.isOver) return Outcome.Pass;
    if (this.waits && !isEnd) return Outcome.Wait;
    const piece = body.get();
    // More than the plugin has memory for: it must not pass unseen.
    if (piece == null || piece.length != <i32>size) return Outcome.Stop;
    this.seen += size;
    if (this.left >= 0) this.left -= size;
    if (this.bytesMax > 0 && this.seen > this.bytesMax) return this.passOver(body, piece);
    // A body that is as long as its headers say ends here, even if the host does not know yet.
    const isLast = isEnd || this.left == 0;
    const next = this.scanner.scan(piece, isLast);
    count(this.scanner);
    return next == null || body.replace(next) ? Outcome.Pass : Outcome.Stop;
  }

  /** Trailers have come instead of an end. */
  end(body: Body): Outcome {
    if (this.isOver || this.isDryRun) return Outcome.Pass;
    if (this.waits) return this.take(body, body.length, true);
    // What is held back cannot go on any more, and a body without its end is another one.
    return this.scanner.holdsBack ? Outcome.Stop : Outcome.Pass;
  }

  /** The stream is gone. */
  release(): void {
    this.rules.keepScanner(this.scanner);
  }

  /** The body is longer than what is looked at: that is looked at to its last byte. */
  private passOver(body: Body, piece: Bytes): Outcome {
    if (this.isRefusedBeyond) return Outcome.Stop;
    this.isOver = true;
    const room = <i32>(this.bytesMax - (this.seen - piece.length));
    const next = this.scanner.scan(piece.slice(0, room), true);
    count(this.scanner);
    if (next == null) return Outcome.Pass;
    return body.replace(this.scanner.followedBy(piece.slice(room))) ? Outcome.Pass : Outcome.Stop;
  }
}
