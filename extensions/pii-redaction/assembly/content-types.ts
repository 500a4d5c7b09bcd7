import { Bytes, JsonReader, schema } from "@weft/sdk/assembly";

/** Content types that one configuration can name. */
const TYPES_MAX: i32 = 64;

/** How the types of gRPC begin. */
@lazy const GRPC = Bytes.of("application/grpc");

/** The content types whose bodies are looked at. */
@schema('{"type": "array", "items": {"type": "string", "pattern": "^[^*]*[*]?[^*]*$"}, \
"maxItems": 64, "default": ["application/json", "application/*+json", "application/x-ndjson", \
"application/xml", "application/x-www-form-urlencoded", "text/*"]}')
export class ContentTypes {
  /** Each type in two: what stands before its star and behind it; without one, behind is null. */
  private starts: Bytes[] = [];
  private ends: (Bytes | null)[] = [];

  constructor() {
    this.add(Bytes.of("application/json"));
    this.add(Bytes.of("application/*+json"));
    this.add(Bytes.of("application/x-ndjson"));
    this.add(Bytes.of("application/xml"));
    this.add(Bytes.of("application/x-www-form-urlencoded"));
    this.add(Bytes.of("text/*"));
  }

  read(json: JsonReader): void {
    this.starts = [];
    this.ends = [];
    json.openArray();
    while (json.nextItem()) {
      const type = json.readString();
      const star = type.indexOfByte(0x2a);
      if (type.isEmpty) json.refuse("is empty");
      if (star >= 0 && type.indexOfByte(0x2a, star + 1) >= 0) json.refuse("has several stars");
      if (this.starts.length == TYPES_MAX) json.refuse("is one content type too many");
      this.add(type);
    }
  }

  private add(type: Bytes): void {
    const star = type.indexOfByte(0x2a);
    this.starts.push(star < 0 ? type : type.slice(0, star));
    this.ends.push(star < 0 ? null : type.slice(star + 1));
  }

  /**
   * Whether a header's value, parameters and all, names one of them. gRPC is none of them, whatever
   * they say: its messages carry their lengths.
   */
  has(value: Bytes): bool {
    const type = withoutParameters(value);
    if (type.slice(0, GRPC.length).equalsIgnoringCase(GRPC)) return false;
    for (let i = 0; i < this.starts.length; i++) {
      const start = this.starts[i];
      const end = this.ends[i];
      if (end == null) {
        if (type.equalsIgnoringCase(start)) return true;
        continue;
      }
      const isLong = type.length >= start.length + end.length;
      if (isLong && type.slice(0, start.length).equalsIgnoringCase(start)
        && type.slice(type.length - end.length).equalsIgnoringCase(end)) return true;
    }
    return false;
  }
}

/** Whether a content type says that its bodies are JSON, or one JSON text a line. */
export function isJson(value: Bytes): bool {
  const type = withoutParameters(value);
  return type.equalsIgnoringCase("application/json")
    || type.equalsIgnoringCase("application/x-ndjson")
    || (type.length > 5 && type.slice(type.length - 5).equalsIgnoringCase("+json"));
}

function withoutParameters(value: Bytes): Bytes {
  const semicolon = value.indexOfByte(0x3b);
  return value.slice(0, semicolon < 0 ? value.length : semicolon).trim();
}
