import { ByteWriter, Bytes } from "@weft/sdk/assembly";

/**
 * A property's path as the host wants it, with zeros between its steps: `source.address`, and
 * `metadata.filter_metadata['envoy.lb'].canary` where a step has dots. Null if it is none.
 */
export function propertyPath(text: Bytes): Bytes | null {
  const path = new ByteWriter();
  let at = 0;
  while (at < text.length) {
    const isQuoted = at > 0 && text.at(at) == 0x5b;
    if (isQuoted && text.at(at + 1) != 0x27) return null;
    if (at > 0 && !isQuoted && text.at(at++) != 0x2e) return null;
    const start = isQuoted ? at + 2 : at;
    const end = isQuoted ? text.indexOf("']", start) : endOfStep(text, start);
    if (end <= start) return null;
    if (path.length > 0) path.byte(0);
    path.text(text.slice(start, end));
    at = isQuoted ? end + 2 : end;
  }
  return path.length == 0 ? null : path.finish();
}

function endOfStep(text: Bytes, start: i32): i32 {
  let at = start;
  while (at < text.length && text.at(at) != 0x2e && text.at(at) != 0x5b) at++;
  return at;
}
