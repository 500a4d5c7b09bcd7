import type { Context } from "./context.ts";
import { type GuestMemory, OutOfBounds } from "./guest-memory.ts";
import { Errno, Status } from "./status.ts";
import type { Vm } from "./vm.ts";

/** Who calls: the VM, and the context on whose behalf. */
export interface Caller {
  readonly vm: Vm;
  readonly context: Context;
}

/** A parameter: u32, i32, u64, or address and length of bytes or of a text. */
interface In {
  n: number;
  i: number;
  I: bigint;
  b: Uint8Array;
  t: string;
}

/** A result, written to an address the guest gave: u32, u64, or bytes in memory it allocates. */
interface Out {
  N: number;
  Q: bigint;
  B: Uint8Array;
}

type Values<Signs extends string, Of> = Signs extends `${infer Sign}${infer Rest}`
  ? Sign extends keyof Of
    ? [Of[Sign], ...Values<Rest, Of>]
    : never
  : [];

/** A status; with results it is ok. */
export type Answer<Results extends unknown[] = unknown[]> = number | Readonly<Results>;

export interface Hostcall {
  /** Its WebAssembly type, as "i32 i64 -> i32". */
  readonly type: string;
  /** What a plugin that may not call it gets. */
  readonly restricted: number;
  run(caller: Caller, words: readonly Word[]): number | undefined;
}

type Word = number | bigint;

const WORDS: Readonly<Record<string, string>> = {
  n: "i32",
  i: "i32",
  I: "i64",
  b: "i32 i32",
  t: "i32 i32",
  N: "i32",
  Q: "i32",
  B: "i32 i32",
};

const typeOf = (signs: string, result: string): string =>
  [...signs]
    .map((sign) => WORDS[sign])
    .concat("->", result)
    .filter(Boolean)
    .join(" ");

/** Where the words of a value begin. */
interface Place {
  readonly sign: string;
  readonly at: number;
}

function placesOf(signs: string, from = 0): Place[] {
  let next = from;
  return [...signs].map((sign) => {
    const at = next;
    next += wordsOf(sign);
    return { sign, at };
  });
}

/** How many words these take. */
const wordsOf = (signs: string): number => typeOf(signs, "").split(" ").length - 1;

/** A call of module `env`: its parameters, its results, and what it does. */
export function hostcall<I extends string, O extends string>(
  ins: I,
  outs: O,
  act: (caller: Caller, ...values: Values<I, In>) => Answer<Values<O, Out>>,
): Hostcall {
  const [inPlaces, outPlaces] = [placesOf(ins), placesOf(outs, wordsOf(ins))];
  return {
    type: typeOf(ins + outs, "i32"),
    restricted: Status.internalFailure,
    run: (caller, words) =>
      guarded(Status.invalidMemoryAccess, () => {
        const values = inPlaces.map((place) => read(place, words, caller.vm.memory));
        const answer = act(caller, ...(values as Values<I, In>));
        if (typeof answer === "number") return answer;
        return write(caller.vm, outPlaces, answer, words);
      }),
  };
}

/** A WASI call: its parameters are plain words, and it answers an errno. */
export function wasiCall<I extends string>(
  ins: I,
  act: (vm: Vm, ...values: Values<I, In>) => number | undefined,
  result = "i32",
): Hostcall {
  const places = placesOf(ins);
  return {
    type: typeOf(ins, result),
    restricted: Errno.notCapable,
    run: ({ vm }, words) =>
      guarded(Errno.fault, () => {
        const values = places.map((place) => read(place, words, vm.memory));
        return act(vm, ...(values as Values<I, In>));
      }),
  };
}

function guarded(status: number, act: () => number | undefined): number | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof OutOfBounds) return status;
    throw error;
  }
}

function read({ sign, at }: Place, words: readonly Word[], memory: GuestMemory) {
  const word = words[at] ?? 0;
  if (sign === "I") return word;
  if (sign === "i") return Number(word) | 0;
  if (sign === "n") return Number(word) >>> 0;
  const length = Number(words[at + 1]);
  return sign === "t" ? memory.readText(Number(word), length) : memory.read(Number(word), length);
}

function write(
  vm: Vm,
  places: readonly Place[],
  results: readonly unknown[],
  words: readonly Word[],
): number {
  for (const [i, { sign, at }] of places.entries()) {
    const [result, address] = [results[i], Number(words[at])];
    if (sign === "N") vm.memory.writeU32(address, Number(result));
    else if (sign === "Q") vm.memory.writeU64(address, BigInt.asUintN(64, result as bigint));
    else if (!give(vm, result as Uint8Array, address, Number(words[at + 1]))) {
      return Status.invalidMemoryAccess;
    }
  }
  return Status.ok;
}

/** Hands bytes over: into memory the plugin allocates, which may move every view of it. */
function give(vm: Vm, bytes: Uint8Array, addressOut: number, lengthOut: number): boolean {
  const address = bytes.byteLength === 0 ? 0 : vm.allocate(bytes.byteLength);
  if (address === 0 && bytes.byteLength > 0) return false;
  vm.memory.write(address, bytes);
  vm.memory.writeU32(addressOut, address);
  vm.memory.writeU32(lengthOut, bytes.byteLength);
  return true;
}

export const text = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString();
