// Probes: modules whose callbacks make the hostcalls of a list and log what comes back.

import { type AbiVersion, callbackType, findCall } from "@weft/sdk/host";
import { assemble, type Code, s64, u32 } from "./assemble.ts";

/**
 * An argument: a word; bytes, which are address and length; or where a result is to be put. Of
 * results that differ from run to run the length alone is shown.
 */
export type Argument =
  | number
  | bigint
  | string
  | Uint8Array
  | { readonly out: "u32" | "u64" | "bytes" | "hex" | "length" | "hidden"; readonly as?: string }
  /** What a word of a result before was. */
  | { readonly use: string }
  /** A parameter of the callback. */
  | { readonly parameter: number };

/** A hostcall, which is logged with what it answers unless it is quiet. */
export interface Call {
  readonly call: string;
  readonly from?: string;
  readonly args: readonly Argument[];
  readonly isQuiet?: boolean;
}

export type Step =
  | Call
  /** Logs words: text, and the callback's parameters by index. */
  | { readonly say: readonly (string | number)[] }
  | { readonly trap: true }
  /** Steps that are taken only when the VM is in this callback for the n-th time. */
  | { readonly time: number; readonly steps: readonly Step[] };

export interface Callback {
  readonly steps: readonly Step[];
  /** What the callback answers, if it answers, one time after the other; 0 unless told. */
  readonly returns?: number | readonly number[];
}

export interface Probe {
  readonly abi?: AbiVersion | "none";
  readonly on: Readonly<Record<string, Callback>>;
  /** Types that differ from those of the ABI. */
  readonly types?: Readonly<Record<string, string>>;
  /** What the allocator does; it answers an address unless told to have none. */
  readonly allocator?: { readonly steps?: readonly Step[]; readonly isEmpty?: boolean };
  readonly exportsMemory?: boolean;
  readonly memoryPages?: number;
}

export const call = (name: string, ...args: Argument[]): Call => {
  const env = /^(proxy_|envoy_|pthread_|emscripten_|none_)/.test(name);
  return { call: name, from: env ? "env" : "wasi_snapshot_preview1", args };
};
/** The same without a word. */
export const quiet = (made: Call): Call => ({ ...made, isQuiet: true });
export const say = (...words: (string | number)[]): Step => ({ say: words });
export const trap: Step = { trap: true };
export const bytes = (as?: string) => ({ out: "bytes" as const, ...(as && { as }) });
export const hex = { out: "hex" as const };
export const length = { out: "length" as const };
/** A word that hosts are free to choose. */
export const hidden = (as?: string) => ({ out: "hidden" as const, ...(as && { as }) });
export const word = (as?: string) => ({ out: "u32" as const, ...(as && { as }) });
export const long = { out: "u64" as const };
export const use = (name: string) => ({ use: name });
export const parameter = (index: number) => ({ parameter: index });
export const time = (nth: number, ...steps: Step[]): Step => ({ time: nth, steps });

/** The line being written, results, text, and the heap: each begins on a page of its own. */
const [LINE_AT, RESULTS_AT, TEXT_AT, HEAP_AT] = [0x1_0000, 0x2_0000, 0x3_0000, 0x5_0000];
/** How often the VM has been in each callback: a word each, in the results' page. */
const TIMES_AT = 0x2_8000;
const PAGES = 8;

// Instructions, as the WebAssembly specification numbers them.
const i32 = (value: number) => [0x41, ...s64(BigInt(value | 0))];
const local = (index: number) => [0x20, ...u32(index)];
const callTo = (index: number) => [0x10, ...u32(index)];
const [UNREACHABLE, DROP, SELECT, IF, END, EQUAL, ADD] = [0x00, 0x1a, 0x1b, 0x04, 0x0b, 0x46, 0x6a];
const [VOID, LOAD_I32, STORE_I32] = [0x40, [0x28, 2, 0], [0x36, 2, 0]] as const;
const LOAD_I64 = [0x29, 3, 0];

/** Clears a result of eight bytes, so that one before it does not show. */
const clear = (at: number) => [...i32(at), 0x42, 0, 0x37, 3, 0];

/** Global 0 is the end of the line, global 1 that of the heap. */
const [LINE_END, HEAP_END] = [0, 1];
const get = (index: number) => [0x23, index];
const set = (index: number) => [0x24, index];

interface Own {
  readonly log: number;
  readonly text: number;
  readonly number: number;
  readonly hex: number;
  readonly flush: number;
  readonly allocate: number;
}

/** Appends bytes at (address, length). */
const APPEND: Code = [
  ...[...get(LINE_END), ...local(0), ...local(1), 0xfc, 10, 0, 0],
  ...[...get(LINE_END), ...local(1), 0x6a, ...set(LINE_END)],
];

/** Appends a decimal number (i64): first the digits before the last, by calling itself. */
const appendNumber = (self: number): Code => [
  ...[...local(0), 0x42, 10, 0x54, 0x45, 0x04, 0x40],
  ...[...local(0), 0x42, 10, 0x80, ...callTo(self), 0x0b],
  ...[...get(LINE_END), ...local(0), 0x42, 10, 0x82, 0xa7, ...i32(48), 0x6a, 0x3a, 0, 0],
  ...[...get(LINE_END), ...i32(1), 0x6a, ...set(LINE_END)],
];

/** Appends two hexadecimal digits for each byte at (address, length); "0…f" lies at TEXT_AT. */
const HEX: Code = (() => {
  const digit = (code: Code): Code => [
    ...[...get(LINE_END), ...i32(TEXT_AT), ...code, 0x6a, 0x2d, 0, 0, 0x3a, 0, 0],
    ...[...get(LINE_END), ...i32(1), 0x6a, ...set(LINE_END)],
  ];
  const byte = [...local(0), 0x2d, 0, 0];
  return [
    ...[0x02, 0x40, 0x03, 0x40, ...local(1), 0x45, 0x0d, 1],
    ...digit([...byte, ...i32(4), 0x76]),
    ...digit([...byte, ...i32(15), 0x71]),
    ...[...local(0), ...i32(1), 0x6a, 0x21, 0, ...local(1), ...i32(1), 0x6b, 0x21, 1],
    ...[0x0c, 0, 0x0b, 0x0b],
  ];
})();

const flush = (log: number): Code => [
  ...[...i32(2), ...i32(LINE_AT), ...get(LINE_END), ...i32(LINE_AT), 0x6b],
  ...[...callTo(log), DROP, ...i32(LINE_AT), ...set(LINE_END)],
];

/** Answers the end of the heap and moves it; blocks begin at multiples of eight. */
const ALLOCATE: Code = [
  ...get(HEAP_END),
  ...[...get(HEAP_END), ...local(0), 0x6a, ...i32(15), 0x6a, ...i32(-8), 0x71, ...set(HEAP_END)],
];

/** Assembles a probe. */
export function assembleProbe(probe: Probe): Uint8Array {
  const { abi = "0.2.1", on, types = {}, allocator = {} } = probe;
  const linked = abi === "none" ? "0.2.1" : abi;
  const texts = createTexts();
  const steps = [...Object.values(on).flatMap((each) => each.steps), ...(allocator.steps ?? [])];
  const used = new Map([["proxy_log", "env"]]);
  for (const step of flat(steps)) if ("call" in step) used.set(step.call, step.from ?? "env");
  const imports = [...used].map(([name, module]) => {
    const type = types[name] ?? findCall(module, name, linked)?.type ?? "i32 -> i32";
    return { module, name, type };
  });
  const own = (at: number) => imports.length + at;
  const functions: Own = {
    ...{ log: imports.findIndex(({ name }) => name === "proxy_log"), text: own(0) },
    ...{ number: own(1), hex: own(2), flush: own(3), allocate: own(4) },
  };
  const results = new Map<string, number>();
  const compile = ({ steps: body, returns = 0 }: Callback, type: string, at = 0): Code => {
    const scope = { imports, functions, texts, results, timesAt: TIMES_AT + 4 * at };
    return [
      ...[...i32(scope.timesAt), ...timeOf(scope), ...i32(1), ADD, ...STORE_I32],
      ...body.flatMap((step) => compileStep(step, scope)),
      ...(/-> i32$/.test(type) ? answer([returns].flat(), scope) : []),
    ];
  };
  const typeOf = (name: string) => types[name] ?? callbackType(name, linked) ?? "->";
  const allocated = allocator.isEmpty ? i32(0) : ALLOCATE;
  const before = compile({ steps: allocator.steps ?? [] }, "->");
  const callbacks = Object.entries(on).map(([name, body], i) => {
    return { name, type: typeOf(name), code: compile(body, typeOf(name), 1 + i) };
  });
  return assemble({
    imports,
    functions: [
      { type: "i32 i32 ->", code: APPEND },
      { type: "i64 ->", code: appendNumber(functions.number) },
      { type: "i32 i32 ->", code: HEX },
      { type: "->", code: flush(functions.log) },
      { type: "i32 -> i32", code: [...before, ...allocated] },
      { type: "->", code: [] },
      ...callbacks,
    ],
    exports: [
      ["malloc", own(4)],
      ...(abi === "none"
        ? []
        : [[`proxy_abi_version_${abi.replaceAll(".", "_")}`, own(5)] as const]),
      ...callbacks.map(({ name }, i) => [name, own(6 + i)] as const),
    ],
    memoryPages: probe.memoryPages ?? PAGES,
    exportsMemory: probe.exportsMemory ?? true,
    globals: [LINE_AT, HEAP_AT],
    data: texts.all(),
    dataAt: TEXT_AT,
  });
}

/** All steps, with those that are taken at one time only. */
const flat = (steps: readonly Step[]): readonly Step[] =>
  steps.flatMap((step) => ("time" in step ? flat(step.steps) : [step]));

const timeOf = ({ timesAt }: Scope): Code => [...i32(timesAt), ...LOAD_I32];

/** Answers one number after the other, then the last for ever. */
function answer([first = 0, ...rest]: readonly number[], scope: Scope, nth = 1): Code {
  if (rest.length === 0) return i32(first);
  const isNow = [...timeOf(scope), ...i32(nth), EQUAL];
  return [...i32(first), ...answer(rest, scope, nth + 1), ...isNow, SELECT];
}

function createTexts() {
  let all = Buffer.from("0123456789abcdef");
  return {
    /** Where bytes lie in the module's data. */
    place: (value: string | Uint8Array): readonly [address: number, length: number] => {
      const added = Buffer.from(value as Uint8Array);
      const at = TEXT_AT + all.length;
      all = Buffer.concat([all, added]);
      return [at, added.length];
    },
    all: () => all,
  };
}

interface Scope {
  readonly imports: readonly { readonly name: string; readonly type: string }[];
  readonly functions: Own;
  readonly texts: ReturnType<typeof createTexts>;
  readonly results: Map<string, number>;
  /** Where the count of the callback's times lies. */
  readonly timesAt: number;
}

const RESULT_BYTES = 8;

function compileStep(step: Step, scope: Scope): Code {
  const { functions, texts } = scope;
  const append = (value: string) => [...texts.place(value).flatMap(i32), ...callTo(functions.text)];
  if ("trap" in step) return [UNREACHABLE];
  if ("time" in step) {
    const isNow = [...timeOf(scope), ...i32(step.time), EQUAL];
    return [...isNow, IF, VOID, ...step.steps.flatMap((each) => compileStep(each, scope)), END];
  }
  if ("say" in step) {
    const words = step.say.map((each, at) => {
      const space = at > 0 ? append(" ") : [];
      if (typeof each === "string") return [...space, ...append(each)];
      return [...space, ...local(each), 0xad, ...callTo(functions.number)];
    });
    return [...words.flat(), ...callTo(functions.flush)];
  }
  const index = scope.imports.findIndex(({ name }) => name === step.call);
  const answers = / i32$/.test(scope.imports[index]?.type ?? "");
  const results: number[] = [];
  if (step.isQuiet === true) {
    const pushed = step.args.flatMap((argument) => push(argument, scope, results));
    return [...pushed, ...callTo(index), ...(answers ? [DROP] : [])];
  }
  const code: number[] = [...append(`${step.call.replace(/^proxy_/, "")} `)];
  for (const argument of step.args) code.push(...push(argument, scope, results));
  code.push(...callTo(index));
  if (answers) code.push(0xad, ...callTo(functions.number));
  return [...code, ...results, ...callTo(functions.flush)];
}

/** Where a result lies; one that is used before it is mentioned has its place as well. */
function placeOf(name: string, known: Map<string, number>): number {
  const at = known.get(name) ?? RESULTS_AT + known.size * RESULT_BYTES;
  known.set(name, at);
  return at;
}

/** Pushes an argument; what it is to show afterwards goes to `results`. */
function push(argument: Argument, { functions, texts, results: known }: Scope, shown: number[]) {
  if (typeof argument === "number") return i32(argument);
  if (typeof argument === "bigint") return [0x42, ...s64(argument)];
  if (typeof argument === "string" || argument instanceof Uint8Array) {
    return texts.place(argument).flatMap(i32);
  }
  if ("use" in argument) return [...i32(placeOf(argument.use, known)), ...LOAD_I32];
  if ("parameter" in argument) return local(argument.parameter);
  const at = placeOf(argument.as ?? `result ${known.size}`, known);
  if (argument.out === "hidden") return [...clear(at), ...i32(at)];
  const space = [...texts.place(" ").flatMap(i32), ...callTo(functions.text)];
  if (argument.out === "u32" || argument.out === "u64") {
    const load = argument.out === "u32" ? [...LOAD_I32, 0xad] : LOAD_I64;
    shown.push(...space, ...i32(at), ...load, ...callTo(functions.number));
    return [...clear(at), ...i32(at)];
  }
  if (argument.out === "length") {
    shown.push(...space, ...i32(at + 4), ...LOAD_I32, 0xad, ...callTo(functions.number));
    return [...clear(at), ...i32(at), ...i32(at + 4)];
  }
  const bracket = (value: string) => [
    ...texts.place(value).flatMap(i32),
    ...callTo(functions.text),
  ];
  const print = argument.out === "hex" ? functions.hex : functions.text;
  const pair = [...i32(at), ...LOAD_I32, ...i32(at + 4), ...LOAD_I32];
  shown.push(...space, ...bracket("["), ...pair, ...callTo(print), ...bracket("]"));
  return [...clear(at), ...i32(at), ...i32(at + 4)];
}
