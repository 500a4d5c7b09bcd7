import {
  Bytes, Headers, isHeaderName, isHeaderValue, JsonReader, schema,
} from "@weft/sdk/assembly";

/** The headers to put on one side of a stream. */
@schema('{"type": "object", "additionalProperties": {"type": "string"}}')
export class Stamps {
  private readonly names: Bytes[] = [];
  private readonly values: Bytes[] = [];

  get isEmpty(): bool {
    return this.names.length == 0;
  }

  /** Reads `{"name": "value", …}`; the reader keeps what is wrong with it. */
  read(json: JsonReader): void {
    json.openObject();
    while (json.nextMember()) {
      const name = json.name;
      if (!isHeaderName(name)) json.refuse("is no header name");
      if (this.has(name)) json.refuse("is given twice");
      const value = json.readString();
      if (!isHeaderValue(value)) json.refuse("holds a control character");
      this.names.push(name);
      this.values.push(value);
    }
  }

  put(headers: Headers): void {
    for (let i = 0; i < this.names.length; i++) headers.set(this.names[i], this.values[i]);
  }

  private has(wanted: Bytes): bool {
    for (let i = 0; i < this.names.length; i++) {
      if (this.names[i].equalsIgnoringCase(wanted)) return true;
    }
    return false;
  }
}
