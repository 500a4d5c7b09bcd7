import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Header } from "@weft/sdk/host";
import { type EnvoyLine, startFilterEnvoy, wasmFilter } from "../../world/filter-envoy.ts";
import {
  CALLOUT_CLUSTER,
  CLIENT_GOT_NOTHING,
  callLines,
  clientGot,
  type Exchange,
  type ForeignModule,
  HOST,
  logLine,
  type Shown,
  upstreamSaw,
} from "./module.ts";

/** After which a client that has got nothing says so. */
const ANSWER_MS_MAX = 3_000;

/** For a worker to finish with a stream whose client has got its answer. */
const SETTLE_MS = 200;

/** Runs a module in a real Envoy and answers what it shows. */
export async function driveEnvoy(path: string, module: ForeignModule): Promise<Shown> {
  const { id, configuration = "", rootId = id } = module;
  const script: Script = { exchange: {}, saw: "" };
  const [upstream, callouts] = await Promise.all([
    listen(async (message) => await answerUpstream(message, script)),
    listen(async () => ({ status: 200, headers: [], body: script.exchange.callout ?? "" })),
  ]);
  const envoy = await startFilterEnvoy({
    chains: new Map([[id, [wasmFilter({ id, path, configuration, rootId })]]]),
    clusters: { upstream: portOf(upstream), [CALLOUT_CLUSTER]: portOf(callouts) },
    wasmLogLevel: "trace",
  });
  try {
    const port = envoy.port(id);
    const exchanges: string[] = [];
    for (const one of port === undefined ? [] : module.exchanges) {
      if (one.waitMs !== undefined) await setTimeout(one.waitMs);
      Object.assign(script, { exchange: one, saw: "" });
      const got = await ask(port ?? 0, one);
      exchanges.push(script.saw + got);
    }
    await setTimeout(SETTLE_MS);
    if (port === undefined) return { isLoaded: false, exchanges, logs: [], calls: [] };
    // The main thread's VMs, which start too, are not the one that served.
    const served = envoy.lines().filter(({ thread }) => thread !== String(envoy.pid));
    return { isLoaded: true, exchanges, logs: logsOf(served, id), calls: callsOf(served) };
  } finally {
    await envoy.close();
    for (const server of [upstream, callouts]) {
      server.close();
      server.closeAllConnections();
    }
  }
}

/** What the upstream plays at the moment, and what it saw. */
interface Script {
  exchange: Exchange;
  saw: string;
}

interface Answer {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: string;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

/** A server whose answers carry no header but their own and their length. */
async function listen(answer: (message: IncomingMessage) => Promise<Answer>): Promise<Server> {
  const server = createServer((message, response) => {
    const respond = ({ status, headers, body }: Answer) => {
      response.sendDate = false;
      response.removeHeader("connection");
      const length = ["content-length", String(Buffer.byteLength(body))];
      response.writeHead(status, [...headers, length].flat()).end(body);
    };
    // A plugin that answers itself takes back the request that it has let go on.
    answer(message).then(respond, () => response.destroy());
  });
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function answerUpstream(message: IncomingMessage, script: Script): Promise<Answer> {
  let body = "";
  for await (const chunk of message.setEncoding("utf8")) body += chunk;
  const headers = pairs(message.rawHeaders);
  const {
    method = "",
    url = "",
    headers: { host = "" },
  } = message;
  const others = headers.filter(([name]) => name !== "host");
  script.saw = `${upstreamSaw(`${method} ${url} host=${host}`, others, body)}\n`;
  const {
    status = 200,
    headers: own = [],
    body: answer = "upstream",
  } = script.exchange.response ?? {};
  return { status, headers: own, body: answer };
}

const pairs = (raw: readonly string[]): Header[] =>
  raw.flatMap((name, i): Header[] => (i % 2 === 0 ? [[name, raw[i + 1] ?? ""]] : []));

async function ask(port: number, { path = "/", headers = [], body }: Exchange): Promise<string> {
  const method = body === undefined ? "GET" : "POST";
  const length = body === undefined ? [] : ["content-length", String(Buffer.byteLength(body))];
  const all = ["host", HOST, ...headers.flat(), ...length];
  return await new Promise((done) => {
    const options = { host: "127.0.0.1", port, path, method, headers: all, agent: false };
    const client = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      const got = () => clientGot(String(response.statusCode), pairs(response.rawHeaders), text);
      response.on("end", () => done(got())).on("error", () => done(`${got()} reset`));
    });
    client.setTimeout(ANSWER_MS_MAX, () => {
      done(CLIENT_GOT_NOTHING);
      client.destroy();
    });
    client.on("error", () => done("client reset"));
    client.end(body);
  });
}

const LEVELS = ["trace", "debug", "info", "warning", "error", "critical"];

/** What the plugin said: Envoy puts the plugin's, the root's and the VM's name before it. */
function logsOf(lines: readonly EnvoyLine[], id: string): string[] {
  return lines.flatMap(({ level, text }) => {
    const said = text.startsWith("wasm log ") ? text.indexOf(`${id}: `) : -1;
    if (said < 0) return [];
    return [logLine(LEVELS.indexOf(level), text.slice(said + id.length + ": ".length))];
  });
}

/** Envoy traces each call of a plugin's. */
function callsOf(lines: readonly EnvoyLine[]): string[] {
  const counts = new Map<string, number>();
  for (const { text } of lines) {
    const name = /^\[vm->host\] env\.(\w+)\(/.exec(text)?.[1];
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return callLines(counts);
}
