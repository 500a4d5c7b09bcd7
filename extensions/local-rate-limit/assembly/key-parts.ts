import { Bytes, hash32, Headers, IpAddress, JsonReader, properties, schema } from
  "@weft/sdk/assembly";

/** What one rule can tell requests apart by at a time. */
const PARTS_MAX: i32 = 4;

/** What stands for the address of a client: bits of IPv6 that one customer of a provider has. */
const NETWORK_BYTES: i32 = 8;
const ADDRESS_BYTES: i32 = 16;

enum Part { Client, Path, Method, Host, Header }

@lazy const address = memory.data(ADDRESS_BYTES, 8);

/**
 * What requests are told apart by: those that agree in all parts share a bucket. None means that
 * all requests do.
 */
@schema('{"type": "array", "maxItems": 4, "items": {"type": "string", \
"pattern": "^(client|path|method|host|header:[A-Za-z0-9_-]+)$"}, "default": []}')
export class KeyParts {
  private readonly parts: Part[] = [];
  /** Of a header its name. */
  private readonly names: Bytes[] = [];

  get areNone(): bool {
    return this.parts.length == 0;
  }

  read(json: JsonReader): void {
    json.openArray();
    while (json.nextItem()) {
      const text = json.readString();
      if (this.parts.length == PARTS_MAX) json.refuse("is one part too many");
      this.names.push(text.startsWith("header:") ? text.slice(7).toLowerCase().copy() : text);
      if (text.equals("client")) this.parts.push(Part.Client);
      else if (text.equals("path")) this.parts.push(Part.Path);
      else if (text.equals("method")) this.parts.push(Part.Method);
      else if (text.equals("host")) this.parts.push(Part.Host);
      else if (text.startsWith("header:") && text.length > 7) this.parts.push(Part.Header);
      else json.refuse("must be client, path, method, host or header:<name>");
    }
  }

  /** A number for the request, equal where all parts are; who does not know the seed cannot aim. */
  hash(headers: Headers, seed: u32): u32 {
    let hash = seed;
    for (let i = 0; i < this.parts.length; i++) {
      switch (this.parts[i]) {
        case Part.Client: {
          hash = hash32(clientNetwork(), hash);
          break;
        }
        case Part.Path: {
          hash = hash32(withoutQuery(orEmpty(headers.get(":path"))), hash);
          break;
        }
        case Part.Method: {
          hash = hash32(orEmpty(headers.get(":method")), hash);
          break;
        }
        case Part.Host: {
          hash = hash32(orEmpty(headers.get(":authority")), hash);
          break;
        }
        default: hash = hashOfAll(headers.getAll(this.names[i]), hash);
      }
    }
    return hash;
  }
}

/** Of a header that is repeated every value counts: which one the upstream takes is open. */
function hashOfAll(values: Bytes[], seed: u32): u32 {
  let hash = seed;
  for (let i = 0; i < values.length; i++) hash = hash32(values[i], hash);
  return hash;
}

/** The address of the client; of IPv6 the first 64 bits, since the others are its own to choose. */
function clientNetwork(): Bytes {
  const peer = properties.source.address();
  if (peer == null) return Bytes.view(0, 0);
  const ip = IpAddress.ofPeer(peer);
  if (ip == null) return peer;
  store<u64>(address, ip.high);
  store<u64>(address, ip.low, 8);
  return Bytes.view(address, ip.isV4 ? ADDRESS_BYTES : NETWORK_BYTES);
}

function withoutQuery(path: Bytes): Bytes {
  const query = path.indexOfByte(0x3f);
  return query < 0 ? path : path.slice(0, query);
}

function orEmpty(bytes: Bytes | null): Bytes {
  return bytes == null ? Bytes.view(0, 0) : bytes;
}
