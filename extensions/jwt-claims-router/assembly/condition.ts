import { Bytes, config, JsonReader, max, min, schema } from "@weft/sdk/assembly";
import { Claim } from "./claim";

/** A bound that may be left out. */
@schema('{"type": "number"}')
export class Bound {
  value: f64 = 0;

  read(json: JsonReader): void {
    this.value = json.readNumber(-f64.MAX_VALUE, f64.MAX_VALUE);
  }
}

enum What { Present, Absent, True, False }

/** What a claim can be without a look at a text. */
@schema('{"enum": ["present", "absent", "true", "false"]}')
export class State {
  what: What = What.Present;

  read(json: JsonReader): void {
    const name = json.readString();
    if (name.equals("present")) this.what = What.Present;
    else if (name.equals("absent")) this.what = What.Absent;
    else if (name.equals("true")) this.what = What.True;
    else if (name.equals("false")) this.what = What.False;
    else json.refuse("must be present, absent, true or false");
  }

  fits(value: Bytes | null): bool {
    if (this.what == What.Present) return value != null;
    if (this.what == What.Absent) return value == null;
    return value != null && value.length == 1 && value.at(0) == (this.what == What.True ? 1 : 0);
  }
}

/** Something that a claim must be. */
@config
export class Condition {
  /** Which claim. */
  claim!: Claim;
  /** The text that it must be. */
  equals: Bytes | null = null;
  /** Texts of which it must be one. */
  @max(256) oneOf: Array<Bytes> = new Array<Bytes>();
  /** A text that must be among its items; a text counts as a list of one. */
  contains: Bytes | null = null;
  /** A word that must be in it, with spaces between: as `scope` is. */
  word: Bytes | null = null;
  /** The least number that it may be. */
  atLeast: Bound | null = null;
  /** The greatest number that it may be. */
  atMost: Bound | null = null;
  /** Whether it is there, or which truth it is. */
  is: State | null = null;
  /** Whether all of this must not be so. */
  not: bool = false;

  check(json: JsonReader): void {
    let given = this.oneOf.length > 0 ? 1 : 0;
    if (this.equals != null) given++;
    if (this.contains != null) given++;
    if (this.word != null) given++;
    if (this.is != null) given++;
    if (this.atLeast != null || this.atMost != null) given++;
    if (given == 1) return;
    json.refuse("must have one of equals, oneOf, contains, word, is, atLeast with atMost");
  }

  holds(): bool {
    return this.isSo() != this.not;
  }

  private isSo(): bool {
    const equals = this.equals;
    const contains = this.contains;
    const word = this.word;
    const state = this.is;
    if (contains != null) return this.claim.holds(contains);
    if (word != null) return this.claim.hasWord(word);
    const value = this.claim.value();
    if (state != null) return state.fits(value);
    if (value == null) return false;
    if (equals != null) return value.equals(equals);
    for (let i = 0; i < this.oneOf.length; i++) if (value.equals(this.oneOf[i])) return true;
    return this.oneOf.length == 0 && this.isWithin(value);
  }

  private isWithin(value: Bytes): bool {
    if (value.length != sizeof<f64>()) return false;
    const number = load<f64>(value.start);
    const least = this.atLeast;
    const most = this.atMost;
    return (least == null || number >= least.value) && (most == null || number <= most.value);
  }
}
