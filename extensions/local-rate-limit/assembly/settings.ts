import { Bytes, config, isPathPattern, JsonReader, max, min, schema } from "@weft/sdk/assembly";
import { KeyParts } from "./key-parts";

const NS_PER_SECOND: u64 = 1_000_000_000;

@schema('{"enum": ["second", "minute", "hour"]}')
export class Unit {
  seconds: u64 = 1;

  read(json: JsonReader): void {
    const name = json.readString();
    if (name.equals("second")) this.seconds = 1;
    else if (name.equals("minute")) this.seconds = 60;
    else if (name.equals("hour")) this.seconds = 3600;
    else json.refuse("must be second, minute or hour");
  }

  get ns(): u64 {
    return this.seconds * NS_PER_SECOND;
  }
}

/** Which requests a rule is about. What is not given fits any. */
@config
export class Match {
  /** Paths: `/login` is that path, `/api/*` all that begins so. */
  @max(32) paths: Array<Bytes> = new Array<Bytes>();
  /** Methods, in capitals. */
  @max(16) methods: Array<Bytes> = new Array<Bytes>();
  /** A header that must be there. */
  @max(64) header: string = "";
  /** The value that one of its values must be; empty for any. */
  @max(256) value: string = "";

  check(json: JsonReader): void {
    for (let i = 0; i < this.paths.length; i++) {
      if (!isPathPattern(this.paths[i])) {
        json.refuse("must have paths that begin with / and have a * at the end only");
      }
    }
    if (this.header.length == 0 && this.value.length > 0) json.refuse("has a value but no header");
  }
}

/** How many requests of a kind may come. */
@config
export class Rule {
  /** Names it in metrics, and keeps its buckets apart from those of others. */
  @min(1) @max(64) name!: string;
  /** Which requests it is about. */
  match: Match = new Match();
  /** What they are told apart by; nothing lets all of them share one bucket. */
  by: KeyParts = new KeyParts();
  /** How many may come in each unit of time. */
  @min(1) @max(1000000) requests!: u32;
  /** The unit of time. */
  per: Unit = new Unit();
  /** How many may come at once; 0 for as many as in a unit of time. */
  @max(1000000) burst: u32 = 0;
  /** Buckets that the keys are spread over: memory stays bounded whatever keys there are. */
  @min(1) @max(65536) buckets: u32 = 4096;
}

/** Requests that may come. Each rule that a request fits must have a token left for it. */
@config
export class Settings {
  /** The rules, asked in this order; the first that denies is the last that is asked. */
  @min(1) @max(32) rules!: Array<Rule>;
  /** Whether responses tell what is left. */
  headers: bool = true;
  /** Whether to count only and let everything pass. */
  dryRun: bool = false;

  check(json: JsonReader): void {
    for (let i = 0; i < this.rules.length; i++) {
      for (let j = 0; j < i; j++) {
        if (this.rules[i].name == this.rules[j].name) json.refuse("has two rules of one name");
      }
    }
  }
}
