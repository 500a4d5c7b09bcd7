import { once } from "node:events";
import { type IncomingMessage, type RequestListener, request } from "node:http";
import type { IncomingHttpHeaders } from "node:http2";
import {
  createServer as createHttp2Server,
  type Http2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { installTools } from "../../infra/tools.ts";
import { createHttpServer, pairs, startEcho } from "../../services/cli/plugin/echo.ts";
import {
  type Plugin,
  startWorkshopEnvoy,
  type WorkshopEnvoy,
} from "../../services/cli/plugin/envoy.ts";
import type { FailurePolicy, Json, Upstream } from "../../services/cli/plugin/envoy-config.ts";
import type { EnvoyLevel, PluginLine } from "../../services/cli/plugin/envoy-log.ts";
import { kindOf } from "../../services/cli/plugin/module-kind.ts";

/** Who answers: an address, a handler of HTTP/1 requests, or one of HTTP/2 streams, for gRPC. */
export type Answerer = string | Upstream | RequestListener | { readonly http2: StreamHandler };

export type StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

export interface PluginEnvoyOptions {
  readonly wasm: Uint8Array;
  /** A text or bytes as they are, anything else as JSON. */
  readonly configuration?: unknown;
  /** If the module has several; its own if it has one. */
  readonly rootId?: string;
  /** The plugin's name in Envoy; "plugin" if none. */
  readonly name?: string;
  /**
   * Who answers requests; else an echo: `{ method, path, headers: [[name, value]], body, trailers }`.
   * Of a TCP plugin an address or `(socket) => void`; else an echo of the bytes.
   */
  readonly upstream?: Answerer | ((socket: Socket) => void);
  /** Who answers the plugin's own calls, by the name of the cluster. */
  readonly clusters?: Readonly<Record<string, Answerer>>;
  /** FAIL_CLOSED if none. */
  readonly failurePolicy?: FailurePolicy;
  /** How long a VM must have lived for FAIL_RELOAD to start it again; a second if not named. */
  readonly reloadIntervalMs?: number;
  /** Hostcalls and callbacks that it may use; all, if none are named. */
  readonly capabilities?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Names its VM, and with it its shared data; else each swap begins anew. */
  readonly vmId?: string;
  /** Whether it filters connections; else as its exports say. */
  readonly tcp?: boolean;
  /** Worker threads of Envoy; 1 if not named. */
  readonly workers?: number;
  /** Filters as Envoy's JSON around the plugin: `{ name, typed_config: { "@type": … } }`. */
  readonly otherFilters?: { readonly before?: readonly Json[]; readonly after?: readonly Json[] };
  /** Routes in place of the one to the cluster `upstream`. */
  readonly routes?: readonly Json[];
  /** More fields of the HTTP connection manager. */
  readonly manager?: Json;
  /** Whether `weft plugin record` sees answers before the plugin has them. */
  readonly isRecordable?: boolean;
  /** The least of what the plugin says; `info` if not named. */
  readonly logLevel?: EnvoyLevel;
}

export interface RequestInit {
  readonly method?: string;
  /** As they are, in order, also several of one name; a `host` is added where none is given. */
  readonly headers?: readonly (readonly [string, string])[] | Readonly<Record<string, string>>;
  /** At once; or chunk by chunk, each as soon as it comes: whoever makes it decides when. */
  readonly body?: string | Uint8Array | AsyncIterable<string | Uint8Array>;
  readonly trailers?: readonly (readonly [string, string])[];
}

export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** The first of a name, in lower case; undefined if there is none. */
  header(name: string): string | undefined;
  readonly body: string;
  readonly bytes: Uint8Array;
  readonly trailers: readonly (readonly [string, string])[];
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it asked for
  json(): any;
}

/** A real Envoy with one plugin, which ECDS brings. Disposing leaves no process and no port. */
export interface PluginEnvoy extends AsyncDisposable {
  /** `http://127.0.0.1:41733`; it speaks HTTP/1.1 and, without upgrade, HTTP/2. */
  readonly url: string;
  readonly port: number;
  /** `http://127.0.0.1:41733` */
  readonly adminUrl: string;
  readonly pid: number;
  /** Makes one request on a connection of its own. Rejects if no whole answer comes. */
  fetch(path: string, init?: RequestInit): Promise<Answer>;
  /** A TCP connection to the listener. */
  connect(): Promise<Socket>;
  /** What the plugin has said so far; `logged` waits for it. */
  readonly logs: readonly PluginLine[];
  /** Waits until the plugin has said such a thing, and answers it. */
  logged(message: RegExp | string): Promise<PluginLine>;
  /** What else Envoy has logged, from warnings on. */
  readonly envoyLogs: readonly string[];
  /** One of Envoy's counters or gauges by its whole name; undefined while it has none. */
  stats(name: string): Promise<number | undefined>;
  /** Puts another in its place, and answers once requests get it. Rejects with why Envoy does not. */
  swap(wasm: Uint8Array, configuration?: unknown, options?: SwapOptions): Promise<void>;
  /** A page of its admin interface. */
  admin(path: string, method?: "GET" | "POST"): Promise<string>;
}

export type SwapOptions = Pick<
  PluginEnvoyOptions,
  "rootId" | "name" | "failurePolicy" | "reloadIntervalMs" | "capabilities" | "environment" | "vmId"
>;

/** How long to wait for what must come, on a machine that does much else. */
const WAIT_MS_MAX = 30_000;
const LOOK_MS = 5;

/** Starts an Envoy with a plugin. @throws Error with what was said if Envoy does not take it */
export async function startPluginEnvoy(options: PluginEnvoyOptions): Promise<PluginEnvoy> {
  const { tcp = kindOf(options.wasm).kind === "tcp", otherFilters = {}, clusters = {} } = options;
  const started = new AsyncDisposableStack();
  try {
    const upstream = await upstreamOf(options.upstream, { tcp, started });
    const called = Object.entries(clusters).map(async ([name, answerer]) => {
      return [name, await answererOf(answerer, started)] as const;
    });
    const logs: PluginLine[] = [];
    const envoyLogs: string[] = [];
    const envoy = await startWorkshopEnvoy({
      program: installTools().envoy,
      kind: tcp ? "tcp" : "http",
      port: 0,
      upstream,
      clusters: Object.fromEntries(await Promise.all(called)),
      plugin: pluginOf(options.wasm, options.configuration, options),
      ...otherFilters,
      ...only(options, ["routes", "manager", "workers", "isRecordable", "logLevel"]),
      onPluginLine: (level, message) => logs.push({ level, message }),
      onEnvoyLine: ({ text }) => envoyLogs.push(text),
    });
    started.use(envoy);
    if (!envoy.first.accepted) throw new Error(envoy.first.causes.join("\n"));
    return around(envoy, { options, logs, envoyLogs, started });
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

function around(
  envoy: WorkshopEnvoy,
  {
    options,
    logs,
    envoyLogs,
    started,
  }: {
    readonly options: PluginEnvoyOptions;
    readonly logs: readonly PluginLine[];
    readonly envoyLogs: readonly string[];
    readonly started: AsyncDisposableStack;
  },
): PluginEnvoy {
  const { port, pid, adminUrl } = envoy;
  const admin = async (path: string, method = "GET"): Promise<string> =>
    (await fetch(`${adminUrl}${path}`, { method })).text();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    adminUrl,
    pid,
    logs,
    envoyLogs,
    admin,
    fetch: (path, init) => ask(port, path, init),
    async connect() {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      started.defer(() => void socket.destroy());
      await once(socket, "connect");
      return socket;
    },
    async logged(wanted) {
      const find = (): PluginLine | undefined =>
        logs.find(({ message }) =>
          typeof wanted === "string" ? message.includes(wanted) : wanted.test(message),
        );
      await until(() => find() !== undefined, `the plugin saying ${wanted}`);
      return find() as PluginLine;
    },
    async stats(name) {
      const exact = `^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`;
      const value = /: (\d+)$/m.exec(
        await admin(`/stats?filter=${encodeURIComponent(exact)}`),
      )?.[1];
      return value === undefined ? undefined : Number(value);
    },
    async swap(wasm, configuration, changes = {}) {
      const verdict = await envoy.swap(pluginOf(wasm, configuration, { ...options, ...changes }));
      if (!verdict.accepted) throw new Error(verdict.causes.join("\n"));
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** Looks until it is so. @throws Error if it never is */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`never came: ${what}`);
    await setTimeout(LOOK_MS);
  }
}

function pluginOf(wasm: Uint8Array, configuration: unknown, options: SwapOptions): Plugin {
  const { roots } = kindOf(wasm);
  return {
    wasm,
    configuration: bytesOf(configuration),
    name: options.name ?? "plugin",
    rootId: options.rootId ?? (roots.length === 1 ? (roots[0] ?? "") : ""),
    ...only(options, ["failurePolicy", "reloadIntervalMs", "capabilities", "environment", "vmId"]),
  };
}

/** The fields of these names that are there. */
function only<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  const entries = names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]]));
  return Object.fromEntries(entries);
}

function bytesOf(configuration: unknown): Uint8Array | string {
  if (configuration === undefined) return "";
  if (typeof configuration === "string" || configuration instanceof Uint8Array)
    return configuration;
  return JSON.stringify(configuration);
}

interface Place {
  readonly tcp: boolean;
  readonly started: AsyncDisposableStack;
}

async function upstreamOf(
  upstream: PluginEnvoyOptions["upstream"],
  { tcp, started }: Place,
): Promise<Upstream> {
  if (upstream === undefined) {
    return { address: started.use(await startEcho(tcp ? "tcp" : "http")).address };
  }
  if (!tcp || typeof upstream !== "function") return answererOf(upstream as Answerer, started);
  const server = createTcpServer((socket) => {
    socket.on("error", () => {}); // resets are what some tests are about
    (upstream as (socket: Socket) => void)(socket);
  });
  return { address: await listen(server, started) };
}

async function answererOf(answerer: Answerer, started: AsyncDisposableStack): Promise<Upstream> {
  if (typeof answerer === "string") return { address: answerer };
  if (typeof answerer === "function") {
    return { address: await listen(createHttpServer(answerer), started) };
  }
  if ("address" in answerer) return answerer;
  const server = createHttp2Server();
  const sessions = new Set<Http2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session)).on("error", () => {});
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {}); // a cancelled call is what some tests are about
    answerer.http2(stream, headers);
  });
  return { address: await listen(server, started), http2: true };
}

/** Listens on a free port of loopback, and cuts all connections in the end. */
async function listen(
  server: ReturnType<typeof createTcpServer>,
  started: AsyncDisposableStack,
): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  started.defer(async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function ask(port: number, path: string, init: RequestInit = {}): Promise<Answer> {
  const { body, trailers } = init;
  const headers = headersOf(init, port);
  const method = init.method ?? (body === undefined ? "GET" : "POST");
  const sent = request({ host: "127.0.0.1", port, path, method, headers, agent: false });
  sent.setNoDelay(true);
  if (trailers !== undefined) sent.addTrailers(trailers as [string, string][]);
  const answered = once(sent, "response", { signal: AbortSignal.timeout(WAIT_MS_MAX) });
  const written = write(sent, body);
  const [response] = (await answered) as [IncomingMessage];
  const bytes = Buffer.concat(await response.toArray());
  // An answer may come before the request has ended; what is left of it is no matter then.
  if (response.complete) sent.destroy();
  await written.catch(() => {});
  const all = pairs(response.rawHeaders);
  return {
    status: response.statusCode ?? 0,
    headers: all,
    header: (name) => all.find(([each]) => each.toLowerCase() === name)?.[1],
    bytes,
    body: bytes.toString("utf8"),
    trailers: pairs(response.rawTrailers),
    json: () => JSON.parse(bytes.toString("utf8")),
  };
}

/** Names and values in turn: so Node sends them as they are. */
function headersOf({ headers = [], body, trailers }: RequestInit, port: number): string[] {
  const given = Array.isArray(headers) ? headers : Object.entries(headers);
  const has = (name: string): boolean => given.some(([each]) => each.toLowerCase() === name);
  const host = has("host") ? [] : ["host", `127.0.0.1:${port}`];
  const isFramed = has("content-length") || has("transfer-encoding");
  const isWhole = typeof body === "string" || body instanceof Uint8Array;
  const framing =
    body === undefined || isFramed
      ? []
      : isWhole && trailers === undefined
        ? ["content-length", String(Buffer.byteLength(body))]
        : ["transfer-encoding", "chunked"];
  return [...host, ...given.flat(), ...framing];
}

async function write(sent: ReturnType<typeof request>, body: RequestInit["body"]): Promise<void> {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
    sent.end(body);
    return;
  }
  sent.flushHeaders();
  for await (const chunk of body) {
    if (sent.destroyed) return;
    await new Promise<void>((done, fail) => {
      sent.write(chunk, (error) => (error ? fail(error) : done()));
    });
  }
  sent.end();
}
