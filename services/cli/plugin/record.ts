import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { WeftError } from "@weft/core/error";
import { type Command, InvalidArgumentError } from "commander";
import { EXIT } from "../exit.ts";
import { addHelpSections, readDurationSeconds } from "../options.ts";
import { count } from "../output.ts";
import { stopSignal } from "../stop-signal.ts";
import { createTerminal, type Terminal } from "../terminal.ts";
import { BEHIND, TAP_ID } from "./envoy-config.ts";
import { createJsonStream } from "./json-stream.ts";
import { settingIn } from "./recorded-setting.ts";
import { createRecorder, type RecordedExchange, type RecordedSetting } from "./recorder.ts";
import { segmentIn, tapRequest } from "./tap-segment.ts";

interface Options {
  readonly admin: string;
  readonly tapId: string;
  readonly count?: number;
  readonly for?: number;
  readonly match?: string;
  readonly maxBody: number;
  readonly keepSecrets?: boolean;
}

/** Bytes of a body that are kept, if nothing else is said: as much as plugins mostly look at. */
const BODY_BYTES = 64 << 10;
const BODY_BYTES_MAX = 16 << 20;

/** A tap writes bytes as base64, and a little around them. */
const CHARS_PER_BYTE = 2;
const CHARS_MORE = 1 << 20;

/** How often it is looked for what has ended without saying so. */
const LOOK_MS = 200;

/** A healthy admin page answers in milliseconds. */
const ANSWER_MS_MAX = 5_000;

export function registerRecord(plugin: Command): void {
  const command = plugin
    .command("record")
    .description("write the requests of a running Envoy as exchanges, one a line")
    .argument("[file]", "to add them to; stdout if none")
    .option("--admin <url>", "Envoy's admin page", "http://127.0.0.1:9901")
    .option("--count <number>", "end after so many", readCount)
    .option("--for <duration>", "end after so long", readDurationSeconds)
    .option("--match <prefix>", "only requests whose path begins so")
    .option("--max-body <bytes>", "leave out what has longer bodies", readBytes, BODY_BYTES)
    .option("--keep-secrets", "write credentials and cookies as they are")
    .option("--tap-id <id>", "config_id of the tap filter before the plugin", TAP_ID);
  addHelpSections(command, {
    isOffline: true,
    exits: [EXIT.missing],
    examples: [
      "weft plugin record requests.jsonl --count 20",
      "weft plugin record --match /api/ --for 1m | jq .request.headers",
    ],
  });
  command.action((file: string | undefined) => run(command.opts(), file));
}

async function run(options: Options, file: string | undefined): Promise<void> {
  const stopped = stopSignal();
  const terminal = createTerminal();
  const recorder = createRecorder({
    bodyBytesMax: options.maxBody,
    pathPrefix: options.match ?? "",
    keepsSecrets: options.keepSecrets === true,
    hasBehind: await hasTapBehind(options.admin),
  });
  const setting = await readSetting(options.admin);
  const { asked, answer } = await openTap(options);
  terminal.say(`recording from ${options.admin}; Ctrl-C ends it`);
  const write = writerTo(file, terminal);
  const objects = createJsonStream(options.maxBody * CHARS_PER_BYTE + CHARS_MORE);
  const done = Promise.withResolvers<void>();
  const { count: countMax = Number.POSITIVE_INFINITY } = options;
  let written = 0;
  const keep = (exchanges: readonly RecordedExchange[]): void => {
    for (const exchange of exchanges.slice(0, countMax - written)) {
      write({ ...setting, ...exchange });
      written += 1;
    }
    if (written >= countMax) done.resolve();
  };
  answer.setEncoding("utf8").on("data", (text: string) => {
    for (const each of objects.take(text)) {
      const segment = segmentIn(each);
      if (segment !== null) recorder.take(segment, performance.now());
    }
    keep(recorder.finish(performance.now()));
  });
  const gone = once(answer, "close").then(() => "Envoy has ended");
  const looking = setInterval(() => keep(recorder.finish(performance.now())), LOOK_MS);
  const timer = setTimeout(done.resolve, (options.for ?? DAYS_MAX_S) * 1_000);
  const why = await Promise.race([stopped, gone, done.promise]);
  clearInterval(looking);
  clearTimeout(timer);
  asked.destroy();
  keep(recorder.finish(Number.POSITIVE_INFINITY));
  if (typeof why === "string") terminal.say(why);
  const { tooLong } = recorder;
  const left = tooLong === 0 ? "" : `; ${tooLong} left out, beyond --max-body ${options.maxBody}`;
  terminal.say(`${count(written, "exchange")}${left}`);
}

/** The longest time a timer of Node's can wait for, less a little. */
const DAYS_MAX_S = 24 * 86_400;

/** Whether an Envoy has the listener behind the plugin that the workshop's has. */
async function hasTapBehind(admin: string): Promise<boolean> {
  return new RegExp(`^${BEHIND}::`, "m").test(await readPage(admin, "/listeners"));
}

/** What the plugin runs with: with that it is played again. */
async function readSetting(admin: string): Promise<RecordedSetting> {
  const dump = await readPage(admin, "/config_dump?resource=ecds_filters");
  return dump.startsWith("{") ? settingIn(JSON.parse(dump)) : {};
}

async function readPage(admin: string, path: string): Promise<string> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    return await (await fetch(new URL(path, admin), { signal })).text();
  } catch (cause) {
    throw new WeftError("missing", "plugin.no_tap", `nothing answers at ${admin}`, { cause });
  }
}

interface Tap {
  readonly asked: ClientRequest;
  readonly answer: IncomingMessage;
}

/** Attaches to the tap. It ends with the connection. */
async function openTap({ admin, tapId, maxBody }: Options): Promise<Tap> {
  const asked = request(new URL("/tap", admin), { method: "POST", agent: false });
  asked.end(tapRequest(tapId, maxBody + 1));
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const [answer] = (await once(asked, "response", { signal })) as [IncomingMessage];
  // A connection that breaks is told by its close.
  asked.on("error", () => {});
  answer.on("error", () => {});
  if (answer.statusCode === 200) return { asked, answer };
  const reason = Buffer.concat(await answer.toArray())
    .toString()
    .trim();
  throw new WeftError("missing", "plugin.no_tap", `${admin} has no tap to record from: ${reason}`);
}

function writerTo(
  file: string | undefined,
  terminal: Terminal,
): (exchange: RecordedExchange) => void {
  return (exchange) => {
    const line = `${JSON.stringify(exchange)}\n`;
    if (file === undefined) terminal.out(line);
    else appendFileSync(file, line, { mode: 0o600 });
  };
}

function readCount(text: string): number {
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number > 0) return number;
  throw new InvalidArgumentError("Give a number, at least 1.");
}

function readBytes(text: string): number {
  const bytes = Number(text);
  if (/^\d{1,9}$/.test(text) && bytes <= BODY_BYTES_MAX) return bytes;
  throw new InvalidArgumentError(`Give bytes, at most ${BODY_BYTES_MAX}.`);
}
