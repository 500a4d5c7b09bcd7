import {
  Action, Bytes, ByteWriter, Cidr, dynamicMetadata, filter, fromBase64, fromBase64Url, fromHex,
  hash32, Headers, hmacSha256, HttpFilter, IpAddress, Metadata, Pairs, pbkdf2Sha256, properties,
  ProtoReader, ProtoWriter, queryParameter, routeMetadata, sha256, toBase64, toBase64Url, toHex,
  withoutQuery,
} from "@weft/sdk/assembly";

/** Computed at start-up, and so not a callback's. */
const EMPTY_DIGEST = toHex(sha256(""));

/** Answers in `answer` what the functions on bytes make of `a` and `b`, both in hexadecimal. */
@filter("codecs")
export class Codecs extends HttpFilter {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const ask = headers.get("ask");
    if (ask == null) return Action.Continue;
    const a = operand(headers, "a");
    const b = operand(headers, "b");
    if (ask.equals("cookies")) this.tellCookies(headers);
    else if (ask.equals("metadata")) this.tellMetadata(headers);
    else headers.add("answer", this.answer(ask, a, b));
    return Action.Continue;
  }

  private answer(ask: Bytes, a: Bytes, b: Bytes): Bytes {
    if (ask.equals("sha256")) return toHex(sha256(a));
    if (ask.equals("hmac")) return toHex(hmacSha256(a, b));
    if (ask.equals("pbkdf2")) return toHex(pbkdf2Sha256(a, b, 3));
    if (ask.equals("digest-of-nothing")) return EMPTY_DIGEST;
    if (ask.equals("base64")) return toBase64(a);
    if (ask.equals("base64url")) return toBase64Url(a);
    if (ask.equals("from-base64")) return shown(fromBase64(a));
    if (ask.equals("from-base64url")) return shown(fromBase64Url(a));
    if (ask.equals("from-hex")) return shown(fromHex(a));
    if (ask.equals("string")) return toHex("<" + a.toString() + ">");
    if (ask.equals("surrogate")) return toHex("<" + String.fromCharCode(0xd800 + a.length) + ">");
    if (ask.equals("lower")) return toHex(a.toLowerCase());
    if (ask.equals("same")) return truth(a.equalsInConstantTime(b));
    if (ask.equals("hash")) return number(hash32(a, <u32>b.toInteger()));
    if (ask.equals("split")) return split(a, b);
    if (ask.equals("query")) return shown(queryParameter(a, b));
    if (ask.equals("path")) return withoutQuery(a);
    if (ask.equals("integer")) return number(a.toInteger(-1));
    if (ask.equals("ip")) return ip(IpAddress.parse(a));
    if (ask.equals("peer")) return ip(IpAddress.ofPeer(a));
    if (ask.equals("within")) return within(a, b);
    if (ask.equals("proto")) return message(new ProtoReader(a), 0);
    return proto();
  }

  private tellCookies(headers: Headers): void {
    const cookies = headers.cookies();
    while (cookies.next()) {
      headers.add("answer", joined(cookies.name, "=", cookies.value));
    }
  }

  private tellMetadata(headers: Headers): void {
    const claims = dynamicMetadata("jwt").at("payload");
    headers.add("answer", shown(claims.at("sub").text()));
    headers.add("answer", number(<i64>claims.at("exp").number(-1)));
    headers.add("answer", truth(claims.at("admin").bool()));
    headers.add("answer", names(claims.at("roles")));
    headers.add("answer", shown(claims.at("roles").at("1").text()));
    headers.add("answer", shown(claims.at("none").text()));
    headers.add("answer", shown(routeMetadata("jwt").at("tier").text()));
    headers.add("answer", shown(properties.filterState("wasm.tenant")));
  }
}

function operand(headers: Headers, name: string): Bytes {
  const hex = headers.get(name);
  if (hex == null) return Bytes.of("");
  const bytes = fromHex(hex);
  return bytes == null ? Bytes.of("") : bytes;
}

function shown(bytes: Bytes | null): Bytes {
  return bytes == null ? Bytes.of("null") : toHex(bytes);
}

function truth(isSo: bool): Bytes {
  return Bytes.of(isSo ? "yes" : "no");
}

function number(value: i64): Bytes {
  return new ByteWriter().integer(value).finish();
}

function joined(first: Bytes, between: string, last: Bytes): Bytes {
  return new ByteWriter(1).text(first).text(between).text(last).finish();
}

function split(text: Bytes, separator: Bytes): Bytes {
  const out = new ByteWriter();
  const parts = text.split(separator);
  while (parts.next()) out.byte(0x5b).text(parts.part).byte(0x5d);
  return out.finish();
}

function ip(address: IpAddress | null): Bytes {
  if (address == null) return Bytes.of("null");
  const out = new ByteWriter().text(address.isV4 ? "v4 " : "v6 ");
  for (let i = 0; i < 128; i++) out.byte(<u8>(0x30 + address.bit(i)));
  return out.finish();
}

function within(text: Bytes, range: Bytes): Bytes {
  const address = IpAddress.parse(text);
  const cidr = Cidr.parse(range);
  return address == null || cidr == null ? Bytes.of("null") : truth(cidr.contains(address));
}

function names(metadata: Metadata): Bytes {
  const out = new ByteWriter();
  const pairs: Pairs = metadata.pairs();
  while (pairs.next()) out.text(pairs.name).byte(0x3b);
  return out.finish();
}

/** Every field as number and as text; those of field 15 are messages themselves. */
function message(reader: ProtoReader, depth: i32): Bytes {
  const out = new ByteWriter();
  while (reader.next()) {
    out.integer(reader.field).text(":").integer(reader.number).text("/").integer(reader.zigzag);
    out.text("/").text(reader.text).text("/").text(reader.double.toString()).text(" ");
    if (reader.field == 15 && depth < 3) {
      out.text("{").text(message(reader.message, depth + 1)).text("} ");
    }
  }
  return out.text(reader.isDamaged ? "damaged" : "end").finish();
}

function proto(): Bytes {
  const inner = new ProtoWriter().number(1, 300).finish();
  return toHex(new ProtoWriter().text(2, "é").text(15, inner).number(3, u64.MAX_VALUE).finish());
}
