import {
  Action, Bytes, config, filter, Headers, HttpFilter, JsonReader, logInfo, max, min,
} from "@weft/sdk/assembly";

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
    return token == null ? text : text + " " + token.toString();
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
