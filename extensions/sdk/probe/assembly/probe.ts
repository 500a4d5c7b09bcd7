import {
  Action, Background, Bytes, counter, filter, Headers, HttpFilter, log, LogLevel, logDebug, logInfo,
  logs,
} from "@weft/sdk/assembly";

const answers = counter("answers_total");

const NOTHING: string[] = [];

/** Takes any bytes as its configuration. */
@filter("probe")
export class ProbeBackground extends Background {
  configure(configuration: Bytes): bool {
    log(LogLevel.Trace, "traced");
    logDebug("debugged");
    logInfo("configured with " + configuration.toString());
    return true;
  }
}

/** Answers what the request asks about the SDK, so that its tests can see from outside. */
@filter("probe")
export class Probe extends HttpFilter {
  private seen: i32 = 0;

  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const ask = headers.get("ask");
    if (ask == null) return Action.Continue;
    answers.inc(3);
    const subject = headers.get("subject");
    if (ask.equals("all")) this.answerAll(headers);
    else if (ask.equals("joined")) answerJoined(headers);
    else if (ask.equals("text") && subject != null) this.answerText(headers, subject);
    else if (ask.equals("count")) headers.set("answer", (++this.seen).toString());
    else if (ask.equals("has")) headers.set("answer", headers.has("subject") ? "yes" : "no");
    else if (ask.equals("level")) headers.set("answer", logs(LogLevel.Debug) ? "yes" : "no");
    else if (ask.equals("cookie")) headers.set("answer", cookieOf(headers));
    else if (ask.equals("trap")) headers.set("answer", NOTHING[this.seen]);
    return Action.Continue;
  }

  /** Moves every value of `subject` to `answer`, in order and with its length. */
  private answerAll(headers: Headers): void {
    const values = headers.getAll("Subject");
    headers.remove("subject");
    for (let i = 0; i < values.length; i++) {
      headers.add("answer", values[i].toString() + "/" + values[i].length.toString());
    }
  }

  private answerText(headers: Headers, subject: Bytes): void {
    const kept = subject.copy();
    headers.add("starts", subject.startsWith("ab") ? "yes" : "no");
    headers.add("index", subject.indexOf("b", 2).toString());
    headers.add("slice", subject.slice(1, 3));
    headers.add("beyond", subject.slice(-5, 99));
    headers.add("outside", subject.at(subject.length).toString());
    headers.add("copy", kept.equals(subject) && kept.start != subject.start ? "yes" : "no");
    headers.add("case", kept.equalsIgnoringCase("ABCAB") ? "yes" : "no");
    headers.add("ends", subject.endsWith("cab") && !subject.endsWith("xabcab") ? "yes" : "no");
    headers.add("trim", Bytes.of(" \t" + subject.toString() + " ").trim());
    headers.add("number", Bytes.of("-120").toInteger().toString());
    headers.add("no-number", subject.toInteger(7).toString());
  }
}

function answerJoined(headers: Headers): void {
  const joined = headers.getJoined("Subject");
  headers.remove("subject");
  headers.set("answer", joined == null ? "none" : joined.toString());
}

function cookieOf(headers: Headers): string {
  const cookie = headers.cookie("user");
  return cookie == null ? "none" : cookie.toString();
}
