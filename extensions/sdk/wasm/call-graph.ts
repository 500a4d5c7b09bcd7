import type { FunctionBlocks } from "./blocks.ts";
import type { WasmModule } from "./module.ts";

/** Whom a function calls: surely named, or perhaps, by a type in a table. Imports are among them. */
export interface Callees {
  readonly direct: ReadonlySet<number>;
  readonly indirect: ReadonlySet<Family>;
}

/** The functions of one type that a table may hold. There is one family of a table and a type. */
export interface Family {
  readonly members: readonly number[];
}

/** The callees of each function that the module defines, by its number; dead code calls nobody. */
export type CallGraph = ReadonlyMap<number, Callees>;

export function callGraph(module: WasmModule, functions: readonly FunctionBlocks[]): CallGraph {
  const families = createFamilies(module, functions);
  return new Map(
    functions.map(({ index, blocks }) => {
      const calls = blocks.flatMap((block) => block.calls);
      const direct = calls.flatMap((call) => ("callee" in call ? [call.callee] : []));
      const indirect = calls.flatMap((call) => {
        return "type" in call ? [families(call.table, module.types[call.type] ?? "")] : [];
      });
      return [index, { direct: new Set(direct), indirect: new Set(indirect) }];
    }),
  );
}

function createFamilies(
  { functions: all, elements, references }: WasmModule,
  functions: readonly FunctionBlocks[],
): (table: number, type: string) => Family {
  const referenced = [...references, ...functions.flatMap((each) => each.references)];
  const tables = new Map<number, Map<string, number[]>>();
  const found = new Map<string, Family>();
  const byType = (table: number) => {
    const inTable = elements.filter((each) => each.table === null || each.table === table);
    const held = new Set([...inTable.flatMap((each) => each.functions), ...referenced]);
    return Map.groupBy(held, (index) => all[index]?.type ?? "");
  };
  return (table, type) => {
    const types = tables.get(table) ?? byType(table);
    tables.set(table, types);
    const key = `${table} ${type}`;
    const family = found.get(key) ?? { members: types.get(type) ?? [] };
    found.set(key, family);
    return family;
  };
}

/** Functions that a host or a table may call, whoever calls them inside. */
export function openFunctions(
  { exports, elements, references, start }: WasmModule,
  functions: readonly FunctionBlocks[],
): ReadonlySet<number> {
  return new Set([
    ...exports.flatMap(({ kind, index }) => (kind === "function" ? [index] : [])),
    ...elements.flatMap((each) => each.functions),
    ...functions.flatMap((each) => each.references),
    ...[...references, ...(start === null ? [] : [start])],
  ]);
}

export interface CallOrder {
  /** The functions that the module defines, each behind those it calls, but for `recursive`. */
  readonly functions: readonly number[];
  /** Functions that calls lead back to: each chain of calls without end passes through one. */
  readonly recursive: ReadonlySet<number>;
}

type Node = number | Family;

/** Goes down all calls. Chains of calls can be long, so it does not call itself. */
export function callOrder(graph: CallGraph): CallOrder {
  const state = new Map<Node, "open" | "done">();
  const functions: number[] = [];
  const recursive = new Set<number>();
  const path: { readonly node: Node; readonly callees: Iterator<Node> }[] = [];
  const enter = (node: Node) => {
    state.set(node, "open");
    path.push({ node, callees: calleesOf(graph, node) });
  };
  for (const start of graph.keys()) {
    if (state.get(start) === undefined) enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { node } = top;
      const next = top.callees.next().value;
      if (next === undefined) {
        path.pop();
        state.set(node, "done");
        if (typeof node === "number") functions.push(node);
      } else if (state.get(next) === "open") {
        // Of the two ends of a call that leads back, one is a function.
        if (typeof next === "number") recursive.add(next);
        else if (typeof node === "number") recursive.add(node);
      } else if (state.get(next) === undefined && (typeof next === "object" || graph.has(next))) {
        enter(next);
      }
    }
  }
  return { functions, recursive };
}

function* calleesOf(graph: CallGraph, node: Node): Generator<Node, undefined> {
  if (typeof node === "object") yield* node.members;
  else {
    yield* graph.get(node)?.direct ?? [];
    yield* graph.get(node)?.indirect ?? [];
  }
}
