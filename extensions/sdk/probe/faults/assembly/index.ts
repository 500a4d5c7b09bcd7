import {
  Action, Body, Bytes, config, filter, GrpcCallback, GrpcMethod, Headers, HttpFilter,
} from "@weft/sdk/assembly";

/** What a plugin gets wrong, for a fuzzer to find. */
@config
class Settings {
  fault!: string;
}

const kept = new Array<Bytes>();

export let steps: i32 = 0;

@filter("faults")
export class Faults extends HttpFilter<Settings> {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const fault = this.config.fault;
    const value = headers.get("x-list");
    if (value == null) return Action.Continue;
    if (fault == "trap") this.third(value.toString());
    if (fault == "loop") this.skipBlanks(value);
    if (fault == "leak") kept.push(value.copy());
    const watch = new GrpcMethod("watch", "a.Service", "Watch");
    if (fault == "call") watch.open(this.plugin, new Deaf());
    return Action.Continue;
  }

  /** Hides a word, but for where it is cut. */
  onResponseBody(body: Body, _size: u32, _endOfStream: bool): Action {
    if (this.config.fault != "chunking") return Action.Continue;
    const piece = body.get();
    const text = piece == null ? "" : piece.toString();
    if (text.includes("secret")) body.replace(text.replaceAll("secret", "******"));
    return Action.Continue;
  }

  /** Takes for granted that there is one. */
  private third(list: string): string {
    return list.split(",")[2];
  }

  /** Never ends on a value of blanks only. */
  private skipBlanks(value: Bytes): void {
    let at = 0;
    while (value.at(at % max(value.length, 1)) <= 0x20) steps += ++at;
  }
}

class Deaf extends GrpcCallback {}
