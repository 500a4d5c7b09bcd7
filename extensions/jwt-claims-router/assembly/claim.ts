import { Bytes, ByteWriter, getProperty, hasProperty, JsonReader, Pairs, schema } from
  "@weft/sdk/assembly";

/** Structs within structs of a claim. */
const STEPS_MAX: i32 = 8;

/** Items that are asked one by one, where the host cannot write a list in one piece. */
const ITEMS_MAX: i32 = 64;

/**
 * A place in the claims: names with dots between, as `org.tenant`; a dot within a name, as URLs
 * have it, stands behind a backslash.
 */
@schema('{"type": "string", "minLength": 1, "maxLength": 256}')
export class Claim {
  /** The names, each behind a zero byte, as the host wants paths. */
  private steps: Bytes = Bytes.of("");
  /** The whole way from the root of properties, once it is known where the claims are. */
  private path: Bytes = Bytes.of("");

  read(json: JsonReader): void {
    const text = json.readString();
    const steps = new ByteWriter(text.length + 1).byte(0);
    let count = 1;
    let isEmpty = true;
    for (let i = 0; i < text.length; i++) {
      let byte = text.at(i);
      if (byte == 0) json.refuse("holds a zero byte");
      if (byte == 0x2e) {
        if (isEmpty) break;
        isEmpty = true;
        count++;
        steps.byte(0);
        continue;
      }
      if (byte == 0x5c) byte = text.at(++i);
      if (byte < 0) break;
      isEmpty = false;
      steps.byte(<u8>byte);
    }
    if (isEmpty) json.refuse("has a name that is empty");
    if (count > STEPS_MAX) json.refuse("has more than 8 names");
    this.steps = steps.finish();
  }

  /** Tells where the claims are. */
  locate(claims: Bytes): void {
    this.path = new ByteWriter().text(claims).text(this.steps).finish();
  }

  /**
   * What stands there, without its type: a text as it is, a number as a double, a truth as a byte,
   * a list or struct as pairs. Null if nothing does.
   */
  value(): Bytes | null {
    return getProperty(this.path);
  }

  /** Whether it is this text, or a list that holds it. */
  holds(text: Bytes): bool {
    const value = this.value();
    if (value == null) return hasProperty(this.path) && this.hasItem(text);
    if (value.equals(text)) return true;
    const items = new Pairs(value);
    for (let i = 0; items.next(); i++) {
      // Only in a list can one step to a position: texts and structs that look like one are none.
      if (items.name.equals(text) && this.isItem(i, text)) return true;
    }
    return false;
  }

  /** A list that holds null is not written by the host; its other items are. */
  private hasItem(text: Bytes): bool {
    for (let i = 0; i < ITEMS_MAX; i++) if (this.isItem(i, text)) return true;
    return false;
  }

  private isItem(position: i32, text: Bytes): bool {
    const path = new ByteWriter().text(this.path).byte(0).integer(position).finish();
    const item = getProperty(path);
    return item != null && item.equals(text);
  }

  /** Whether one of the words of a text, as `scope` has them, is this one. */
  hasWord(word: Bytes): bool {
    const value = this.value();
    if (value == null) return false;
    const words = value.split(" ");
    while (words.next()) if (words.part.equals(word)) return true;
    return false;
  }
}
