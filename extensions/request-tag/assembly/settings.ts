import {
  Bytes, config, isHeaderName, isHeaderValue, isProxyHeader, JsonReader, max, min, RequestMatch,
} from "@weft/sdk/assembly";

/** What a request is called that is like this. */
@config
export class Rule {
  /** The tag. */
  @min(1) @max(128) tag!: Bytes;
  /** What the request must be like. */
  when!: RequestMatch;

  check(json: JsonReader): void {
    if (!isHeaderValue(this.tag)) json.refuse("has a tag with a control character");
  }
}

/** How requests are told apart: the first rule that holds gives the tag. */
@config
export class Settings {
  /** The rules, in order. */
  @min(1) @max(64) rules!: Array<Rule>;
  /** The tag of requests that no rule holds for; none where it is empty. */
  @max(128) defaultTag: Bytes = Bytes.of("other");
  /** The request header that gets the tag, and no other value; none where it is empty. */
  @max(256) header: Bytes = Bytes.of("x-request-tag");
  /** Whether the response gets the header, too. */
  respond: bool = false;
  /** The property that gets the tag, for access logs and other plugins; none where it is empty. */
  @max(256) property: Bytes = Bytes.of("request_tag");
  /** Whether to count requests by tag and class of their response. */
  count: bool = true;

  check(json: JsonReader): void {
    if (!isHeaderValue(this.defaultTag)) json.refuse("has a defaultTag with a control character");
    const isTarget = isHeaderName(this.header) && !isProxyHeader(this.header);
    if (!this.header.isEmpty && !isTarget) json.refuse("has a header that cannot be set");
    const isSeen = !this.header.isEmpty || !this.property.isEmpty || this.count;
    if (!isSeen) json.refuse("tags requests for nobody: give header or property, or count");
  }
}
