import type { FunctionBlocks } from "./blocks.ts";
import type { WasmModule } from "./module.ts";

/** Whom a function calls: surely named, or perhaps, by a type in a table. Imports are among them. */
export interface Callees {
  readonly direct: ReadonlySet<number>;
  readonly indirect: ReadonlySet<number>;
}

const NO_CALLEES: Callees = { direct: new Set(), indirect: new Set() };

/** The callees of each function that the module defines, by its number; dead code calls nobody. */
export type CallGraph = ReadonlyMap<number, Callees>;

export function callGraph(module: WasmModule, functions: readonly FunctionBlocks[]): CallGraph {
  const referenced = [...module.references, ...functions.flatMap((each) => each.references)];
  const inTable = (table: number) =>
    module.elements.filter((each) => each.table === null || each.table === table);
  const mayBe = (table: number, type: number) =>
    [...inTable(table).flatMap((each) => each.functions), ...referenced].filter(
      (index) => module.functions[index]?.type === module.types[type],
    );
  return new Map(
    functions.map(({ index, blocks }) => {
      const calls = blocks.flatMap((block) => block.calls);
      const direct = calls.flatMap((call) => ("callee" in call ? [call.callee] : []));
      const indirect = calls.flatMap((call) =>
        "type" in call ? mayBe(call.table, call.type) : [],
      );
      return [index, { direct: new Set(direct), indirect: new Set(indirect) }];
    }),
  );
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

/** Goes down all calls. Chains of calls can be long, so it does not call itself. */
export function callOrder(graph: CallGraph): CallOrder {
  const state = new Map<number, "open" | "done">();
  const functions: number[] = [];
  const recursive = new Set<number>();
  for (const start of graph.keys()) {
    const path = [{ index: start, callees: [start].values() }];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.callees.next().value;
      if (next === undefined) {
        path.pop();
        if (path.length > 0) functions.push(top.index);
        state.set(top.index, "done");
      } else if (state.get(next) === "open") recursive.add(next);
      else if (state.get(next) === undefined && graph.has(next)) {
        state.set(next, "open");
        const { direct, indirect } = graph.get(next) ?? NO_CALLEES;
        path.push({ index: next, callees: [...direct, ...indirect].values() });
      }
    }
  }
  return { functions, recursive };
}
