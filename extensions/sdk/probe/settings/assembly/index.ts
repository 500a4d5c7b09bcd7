import {
  Action, Bytes, config, filter, Headers, HttpFilter, JsonReader, logInfo, max, min, schema,
} from "@weft/sdk/assembly";

/** One of a few texts. */
@schema('{"enum": ["none", "half", "in_full"]}')
export class Share {
  choice: i32 = 0;

  read(json: JsonReader): void {
    this.choice = json.readChoice(["none", "half", "in_full"]);
  }
}

/** Who gets how much. */
@config
export class Rule {
  name!: string;
  @min(0) @max(100) percent: u8 = 10;
}

/** Every kind of setting there is. */
@config
class Settings {
  /** The cookie to look at. */
  @min(1) @max(8) cookie: string = "canary";
  isOn: bool = true;
  @min(-0.5) @max(1.5) ratio: f64 = 0.5;
  offset: i32 = -1;
  @max(3) rules: Array<Rule> = new Array<Rule>();
  tiers: Map<string, u32> = new Map<string, u32>();
  groups: Map<string, Array<string>> = new Map<string, Array<string>>();
  fallback: Rule | null = null;
  token: Bytes | null = null;
  realm: Bytes = Bytes.of("the_realm");
  share: Share = new Share();

  check(json: JsonReader): void {
    if (!this.isOn && this.rules.length > 0) json.refuse("has rules but is off");
  }

  toString(): string {
    let text = this.cookie + " " + this.isOn.toString() + " " + this.ratio.toString();
    text += " " + this.offset.toString();
    for (let i = 0; i < this.rules.length; i++) {
      text += " " + this.rules[i].name + "=" + this.rules[i].percent.toString();
    }
    const tiers = this.tiers.keys();
    for (let i = 0; i < tiers.length; i++) {
      text += " " + tiers[i] + ":" + this.tiers.get(tiers[i]).toString();
    }
    const groups = this.groups.keys();
    for (let i = 0; i < groups.length; i++) {
      text += " " + groups[i] + "[" + this.groups.get(groups[i]).join("|") + "]";
    }
    const fallback = this.fallback;
    if (fallback != null) text += " or " + fallback.name;
    const token = this.token;
    if (token != null) text += " " + token.toString();
    return this.share.choice == 0 ? text : text + " " + this.share.choice.toString();
  }
}

/** Tells how it is configured. */
@filter("settings")
export class Teller extends HttpFilter<Settings> {
  onRequestHeaders(_headers: Headers, _endOfStream: bool): Action {
    logInfo(this.config.toString());
    return Action.Continue;
  }
}
