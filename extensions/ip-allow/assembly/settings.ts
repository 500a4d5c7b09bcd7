import {
  Bytes, config, isHeaderName, JsonReader, max, min, schema,
} from "@weft/sdk/assembly";
import { Ranges } from "./ranges";

/** Whether to let a request pass. */
@schema('{"enum": ["allow", "deny"], "default": "deny"}')
export class Verdict {
  constructor(public isAllow: bool = false) {}

  read(json: JsonReader): void {
    this.isAllow = json.readChoice(["deny", "allow"]) == 1;
  }
}

/**
 * Where a client's address comes from: the connection's other end; what Envoy takes for the
 * client, be it from a header; or a header that this plugin reads itself.
 */
export enum Origin { Peer, Remote, Header }

@schema('{"enum": ["peer", "remote", "header"], "default": "peer"}')
export class Source {
  origin: Origin = Origin.Peer;

  read(json: JsonReader): void {
    this.origin = <Origin>json.readChoice(["peer", "remote", "header"]);
  }
}

/** Who may pass. The longest range that an address is in decides; of two equal ones, deny. */
@config
export class Settings {
  /** Ranges and addresses that may pass. */
  allow: Ranges = new Ranges();
  /** Ranges and addresses that may not. */
  deny: Ranges = new Ranges();
  /** What becomes of addresses that are in no range. */
  defaultAction: Verdict = new Verdict();
  /** What becomes of requests whose address cannot be told. */
  unknownAction: Verdict = new Verdict();
  /** Where the address comes from. */
  source: Source = new Source();
  /** The header that proxies append the address of their peer to. */
  @min(1) @max(256) header: Bytes = Bytes.of("x-forwarded-for");
  /** How many entries at its right end were written by proxies that are trusted. */
  @min(1) @max(32) trustedHops: u8 = 1;
  /** Only counts what it would deny. */
  dryRun: bool = false;
  /** The status of a denial. */
  @min(400) @max(599) status: u16 = 403;
  /** The body of a denial. */
  @max(4096) body: Bytes = Bytes.of("access denied\n");

  check(json: JsonReader): void {
    if (!isHeaderName(this.header)) json.refuse("has a header whose name is none");
    const isAnybodyIn = this.allow.size > 0 || this.defaultAction.isAllow;
    if (!isAnybodyIn) json.refuse("allows nobody: fill allow, or set defaultAction to allow");
  }
}
