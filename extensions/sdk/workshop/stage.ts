import { type Host, type HostOptions, hostOf } from "../host/host.ts";
import type { CalloutResponse, GrpcAnswer } from "../host/index.ts";
import { type LoadedModule, loadModule } from "../host/link.ts";
import { bytesOf, configurationBytes, type Exchange, type UpstreamAnswer } from "./exchange.ts";

/** A plugin's module, compiled once for all that is played through it. */
export interface PluginModule {
  readonly plain: LoadedModule;
  /** The same with a count of the instructions it executes. */
  readonly metered: LoadedModule;
  /** So that backtraces name files and lines. */
  readonly sourceMap: string | null;
}

/** @throws LoadError */
export function loadPlugin(wasm: Uint8Array, sourceMap: string | null = null): PluginModule {
  const [plain, metered] = [loadModule(wasm), loadModule(wasm, { meter: true })];
  return { plain, metered, sourceMap };
}

/** A plugin that runs in a host, with all that an exchange needs around it. */
export interface Stage {
  readonly host: Host;
  readonly root: number;
}

/** A plugin does not take the configuration of an exchange. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** Whether it has not said why. */
  readonly isSilent: boolean;

  constructor(said: string | undefined) {
    super(said ?? "it does not say why");
    this.isSilent = said === undefined;
  }
}

/** Starts a plugin as an exchange wants it. @throws Refusal, Trap */
export function stage(plugin: PluginModule, exchange: Exchange, options: HostOptions = {}): Stage {
  const isMetered = options.meter === true || options.fuelMax !== undefined;
  const { sourceMap } = plugin;
  const host = hostOf(isMetered ? plugin.metered : plugin.plain, {
    ...(sourceMap === null ? {} : { sourceMap }),
    ...options,
  });
  prepare(host, exchange);
  const { rootId = "" } = exchange;
  const root = host.start(configurationBytes(exchange), { rootId });
  if (root !== null) return { host, root };
  throw new Refusal(host.logs.at(-1)?.message);
}

/** Scripts the upstreams of an exchange and forces the statuses that it wants forced. */
export function prepare(host: Host, { upstreams = {}, faults = [] }: Exchange): void {
  for (const [cluster, answers] of Object.entries(upstreams))
    script(host, cluster, [answers].flat());
  for (const fault of faults) host.inject(fault);
}

/** Answers calls in order; the last answer is for all that follow. */
function script(host: Host, cluster: string, answers: readonly UpstreamAnswer[]): void {
  const upstream = host.upstream(cluster);
  const inTurn = () => {
    let calls = 0;
    return () => answers[Math.min(calls++, answers.length - 1)] ?? {};
  };
  const [nextHttp, nextGrpc] = [inTurn(), inTurn()];
  upstream.on(() => httpAnswer(nextHttp()));
  upstream.onGrpc(() => grpcAnswer(nextGrpc()));
}

function httpAnswer(answer: UpstreamAnswer): CalloutResponse | "reset" {
  const { status = 200, headers = [], body = "", trailers = [], delayMs = 0 } = answer;
  if (answer.reset === true) return "reset";
  return {
    headers: [[":status", String(status)], ...headers],
    body: bytesOf(body),
    trailers,
    delayMs,
  };
}

const UNAVAILABLE = 14;

function grpcAnswer({ grpc = {}, delayMs = 0, reset = false }: UpstreamAnswer): GrpcAnswer {
  if (reset) return { status: UNAVAILABLE, delayMs };
  const { status = 0, messages = [], ...metadata } = grpc;
  return { ...metadata, status, messages: messages.map(bytesOf), delayMs };
}
