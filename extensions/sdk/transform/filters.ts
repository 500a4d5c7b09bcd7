import { MethodDeclaration, type Parser } from "assemblyscript";
import { nearest } from "./nearest.ts";
import {
  complain,
  decoratorOf,
  dropDecorators,
  exportIt,
  lineageOf,
  methodsOf,
  type PluginClass,
  type PluginClasses,
  textOf,
  typeNameOf,
} from "./syntax.ts";

/** What a plugin's class derives from, and so what the host may call of it. */
type Base = "HttpFilter" | "TcpFilter" | "Background";

/** A class with @filter. */
export interface FilterClass extends PluginClass {
  readonly rootId: string;
  readonly base: Base;
  /** The name of its configuration's class, or null if it has none. */
  readonly config: string | null;
  readonly methods: ReadonlySet<string>;
}

/** The entry of each callback: the file under `assembly/entry`, and what the host calls. */
const ENTRIES: Record<string, Record<string, readonly [string, string]>> = {
  HttpFilter: {
    onRequestHeaders: ["http", "proxy_on_request_headers"],
    onRequestBody: ["http", "proxy_on_request_body"],
    onRequestTrailers: ["http", "proxy_on_request_trailers"],
    onResponseHeaders: ["http", "proxy_on_response_headers"],
    onResponseBody: ["http", "proxy_on_response_body"],
    onResponseTrailers: ["http", "proxy_on_response_trailers"],
    onLog: ["plugin", "proxy_on_log"],
    onDone: ["plugin", "proxy_on_done"],
  },
  TcpFilter: {
    onNewConnection: ["tcp", "proxy_on_new_connection"],
    onDownstreamData: ["tcp", "proxy_on_downstream_data"],
    onUpstreamData: ["tcp", "proxy_on_upstream_data"],
    onDownstreamClose: ["tcp", "proxy_on_downstream_connection_close"],
    onUpstreamClose: ["tcp", "proxy_on_upstream_connection_close"],
    onLog: ["plugin", "proxy_on_log"],
    onDone: ["plugin", "proxy_on_done"],
  },
  Background: {
    onStart: ["plugin", "proxy_on_vm_start"],
    onTick: ["plugin", "proxy_on_tick"],
    onQueueReady: ["plugin", "proxy_on_queue_ready"],
    onForeignFunction: ["plugin", "proxy_on_foreign_function"],
    onDone: ["plugin", "proxy_on_done"],
  },
  HttpCallback: { onResponse: ["calls", "proxy_on_http_call_response"] },
  GrpcCallback: {
    onInitialMetadata: ["calls", "proxy_on_grpc_receive_initial_metadata"],
    onMessage: ["calls", "proxy_on_grpc_receive"],
    onTrailingMetadata: ["calls", "proxy_on_grpc_receive_trailing_metadata"],
    onClose: ["calls", "proxy_on_grpc_close"],
  },
};

/** What every module exports. */
const ALWAYS: readonly (readonly [string, string])[] = [
  ["module", "malloc"],
  ["module", "proxy_abi_version_0_2_1"],
  ["module", "proxy_on_context_create"],
  ["module", "proxy_on_delete"],
  ["module", "proxy_on_memory_allocate"],
];

/** Hears of the configuration: to read it, to refuse a root id, to define the metrics. */
const CONFIGURE: readonly [string, string] = ["plugin", "proxy_on_configure"];

/** What declares metrics, which the host hears of when it configures a plugin. */
const METRICS = /\b(counter|gauge|histogram)(With)?\b/i;

/** The end of each open call, which frees what is kept for it, must be heard. */
const GRPC_ALWAYS = ["onMessage", "onClose"];

/** The classes with @filter. What is wrong with them goes to the compiler's errors. */
export function filtersOf(parser: Parser, classes: PluginClasses): FilterClass[] {
  const filters = [...classes.values()].flatMap((each) => filterOf(parser, classes, each) ?? []);
  for (const [i, filter] of filters.entries()) {
    const isSamePart = (other: FilterClass) =>
      other.rootId === filter.rootId && isBackground(other) === isBackground(filter);
    if (!filters.slice(0, i).some(isSamePart)) continue;
    const mend = "give each its own; only a filter and a Background share one";
    const message = `the root id "${filter.rootId}" is taken`;
    complain(parser, filter.declaration.name.range, message, mend);
  }
  for (const filter of filters) {
    const other = filters.find((each) => each.rootId === filter.rootId && isBackground(each));
    if (other === undefined || filter.config === null || other.config === filter.config) continue;
    const mend = `derive ${other.name} from Background<${filter.config}>`;
    const message = `${filter.name} and ${other.name} share a root id but no configuration`;
    complain(parser, other.declaration.name.range, message, mend);
  }
  return filters;
}

function filterOf(
  parser: Parser,
  classes: PluginClasses,
  each: PluginClass,
): FilterClass | undefined {
  const decorator = decoratorOf(each.declaration, "filter");
  if (decorator === undefined) return undefined;
  const rootId = textOf(decorator.args?.[0] as never);
  if (rootId === null) {
    complain(parser, decorator.range, "@filter needs a root id", `write @filter("my-filter")`);
    return undefined;
  }
  const { own, base } = lineageOf(classes, each);
  const name = typeNameOf(base);
  if (name !== "HttpFilter" && name !== "TcpFilter" && name !== "Background") {
    const mend = "derive it from HttpFilter, TcpFilter or Background";
    complain(parser, each.declaration.name.range, `${each.name} is no filter`, mend);
    return undefined;
  }
  const methods = methodsOf(own);
  complainOfStrangers(parser, each, methods, name);
  complainOfMisspelt(parser, each, name);
  const config = typeNameOf(base?.typeArguments?.[0]);
  dropDecorators(each.declaration, ["filter"]);
  exportIt(each.declaration);
  return { ...each, rootId, base: name, config: config === "" ? null : config, methods };
}

/** A callback that another kind of filter has would never be called. */
function complainOfStrangers(
  parser: Parser,
  { declaration, name }: PluginClass,
  methods: ReadonlySet<string>,
  base: Base,
): void {
  const callbacks = Object.keys(ENTRIES[base] ?? {});
  const others = Object.entries(ENTRIES).filter(([other]) => other !== base);
  for (const [other, entries] of others) {
    const stranger = Object.keys(entries).find((each) => {
      return methods.has(each) && !callbacks.includes(each);
    });
    if (stranger === undefined) continue;
    const message = `${name} is a ${base}, which has no ${stranger}`;
    complain(parser, declaration.name.range, message, `only a ${other} has it`);
  }
}

/** A callback under a wrong name would never be called, and nobody would say so. */
function complainOfMisspelt(parser: Parser, { declaration, name }: PluginClass, base: Base): void {
  const known = [...Object.keys(ENTRIES[base] ?? {}), "onDelete", "onConfigure", "configure"];
  for (const member of declaration.members) {
    const method = member.name.text;
    if (!(member instanceof MethodDeclaration && /^on[A-Z]/.test(method))) continue;
    const meant = known.includes(method) ? undefined : nearest(method, known);
    if (meant === undefined) continue;
    const message = `${method} is no callback of ${name}`;
    complain(parser, member.name.range, message, `perhaps ${meant} is meant`);
  }
}

/** The callbacks that the host is to call, by the file of their entry. */
export function entriesOf(
  classes: PluginClasses,
  filters: readonly FilterClass[],
): Map<string, Set<string>> {
  const wanted = new Map<string, Set<string>>();
  const want = ([file, callback]: readonly [string, string]) => {
    wanted.set(file, (wanted.get(file) ?? new Set()).add(callback));
  };
  for (const each of ALWAYS) want(each);
  if (needsConfiguration(classes, filters)) want(CONFIGURE);
  for (const { base, methods } of filters) {
    for (const [method, entry] of Object.entries(ENTRIES[base] ?? {})) {
      if (methods.has(method)) want(entry);
    }
  }
  for (const each of classes.values()) {
    const { own, base } = lineageOf(classes, each);
    const callbacks = ENTRIES[typeNameOf(base)];
    if (callbacks === undefined || !typeNameOf(base).endsWith("Callback")) continue;
    const methods = methodsOf(own);
    const isGrpc = typeNameOf(base) === "GrpcCallback";
    for (const [method, entry] of Object.entries(callbacks)) {
      if (methods.has(method) || (isGrpc && GRPC_ALWAYS.includes(method))) want(entry);
    }
  }
  return wanted;
}

/** Whether there is anything to do when the host configures a plugin. */
function needsConfiguration(classes: PluginClasses, filters: readonly FilterClass[]): boolean {
  const isChosen = new Set(filters.map(({ rootId }) => rootId)).size > 1;
  const reads = filters.some(({ config, methods }) => {
    return config !== null || methods.has("configure") || methods.has("onConfigure");
  });
  const sources = new Set([...classes.values()].map(({ source }) => source));
  return isChosen || reads || [...sources].some(({ text }) => METRICS.test(text));
}

export function isBackground({ base }: FilterClass): boolean {
  return base === "Background";
}
