import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nearest } from "../transform/nearest.ts";

/** A complaint of the compiler's: its number, its words, and the line with ¦ where it points. */
export interface Complaint {
  readonly code: number;
  readonly message: string;
  readonly around: string;
  readonly file: string;
}

interface Mend {
  readonly code: number;
  readonly message?: RegExp;
  readonly around?: RegExp;
  readonly mend: string;
}

/**
 * What those who come from TypeScript stumble over, and the way around it. The first that fits
 * counts. In `around`, ¦ stands in front of the place that the compiler means.
 */
const MENDS: readonly Mend[] = [
  // What the language does not have.
  {
    code: 100,
    message: /Closures/,
    mend: "a function sees no variables around it: pass them, or keep them in fields of a class",
  },
  {
    code: 2339,
    message: /on type '.*#/,
    mend: "a function written in place has no this: make it a method, or pass what it needs",
  },
  {
    code: 100,
    message: /union types/,
    around: /¦undefined/,
    mend: "there is no undefined: what may be missing is written T | null",
  },
  {
    code: 100,
    message: /union types/,
    mend: "a type is one type or null: make a class with a field for each, or two functions",
  },
  {
    code: 1109,
    around: /\?¦\./,
    mend: "there is no ?.: keep the value in a const and ask if (value != null) first",
  },
  {
    code: 1109,
    around: /\?¦\?/,
    mend: "there is no ??: write value == null ? other : value",
  },
  {
    code: 1109,
    around: /¦(async|await)\b/,
    mend: "nothing waits here: a call goes on in an HttpCallback or a GrpcCallback",
  },
  {
    code: 100,
    message: /Exceptions/,
    mend: "nothing is thrown here: what may go wrong answers null or false, so ask for that",
  },
  {
    code: 100,
    message: /Regular expressions/,
    mend: "use startsWith, endsWith, indexOf and split of Bytes",
  },
  {
    code: 1003,
    around: /¦(const|let|var)\s*[[{]/,
    mend: "there is no destructuring: take each by its name, as in const name = pair.name",
  },
  {
    code: 100,
    message: /Iterators/,
    mend: "there is no for-of: count, as in for (let i = 0; i < list.length; i++)",
  },
  {
    code: 1155,
    around: /for\s*\((const|let|var) ¦\w+ in\b/,
    mend: "there is no for-in: take the keys() of a Map and count through them",
  },
  {
    code: 1005,
    around: /for\s*\((const|let|var) ¦\w+ in\b/,
    mend: "there is no for-in: take the keys() of a Map and count through them",
  },
  {
    code: 100,
    message: /Interface hidden classes/,
    mend: "an object needs a class: declare one with these fields and make it by new",
  },
  {
    code: 2322,
    message: /'<object>'/,
    mend: "an object needs a class: declare one with these fields and make it by new",
  },
  {
    code: 100,
    message: /Spread/,
    mend: "there is no spread: arrays have concat; of anything else name each part",
  },
  {
    code: 219,
    mend: "a field that may be missing is written name: T | null = null",
  },
  {
    code: 1351,
    around: /\d¦n\b/,
    mend: "there is no bigint: i64 and u64 have 64 bits and are written without n",
  },

  // Types.
  {
    code: 2304,
    message: /'any'|'unknown'|'object'/,
    mend: "every type is named: write the type, or a generic function f<T>(value: T)",
  },
  {
    code: 1110,
    mend: "every parameter and every result has its type, as in (x: i32): i32",
  },
  {
    code: 1140,
    around: /JSON\./,
    mend: "there is no JSON object: read JSON by a @config class or by JsonReader",
  },
  {
    code: 1140,
    mend: "what is passed here has no type: check that it exists, and write (x: i32): i32 => …",
  },
  {
    code: 2322,
    message: /\/Bytes( \| null)?' is not assignable to type '~lib\/string\/String/,
    around: /¦[^;]*[!=]==?/,
    mend: `bytes are compared with a text by value.equals("text")`,
  },
  {
    code: 2322,
    message: /\/Bytes' is not assignable to type '~lib\/string\/String/,
    mend: "bytes become a string by value.toString()",
  },
  {
    code: 2322,
    message: /\/String' is not assignable to type '.*\/Bytes/,
    mend: "a string becomes bytes by Bytes.of(text)",
  },
  {
    code: 2322,
    message: /^Type '(.+) \| null' is not assignable to type '\1'/,
    mend: "it may be null: keep it in a const and ask if (value != null) first",
  },
  {
    code: 2322,
    message: /is not assignable to type 'usize'/,
    mend: "null in ?: has no type: declare let value: T | null = null and assign to it",
  },
  {
    code: 2322,
    message: /\/String' is not assignable to type 'i32'/,
    mend: "an enum holds whole numbers only",
  },
  {
    code: 200,
    mend: "numbers change their kind on purpose only: put the type in front, as in <i32>value",
  },
  {
    code: 2564,
    mend: "give it a first value, or write name!: T if it is set before anybody reads it",
  },
  {
    code: 2355,
    mend: "return a value on every way through it, as Action.Continue",
  },
  {
    code: 2394,
    mend: "a callback has the parameters and the result of the one it overrides",
  },
  {
    code: 2511,
    mend: "derive a class of your own from it",
  },
  {
    code: 2329,
    mend: "it has no [ ]: headers are read by get, bytes by at",
  },
  {
    code: 102,
    message: /expected Bytes or a string/,
    mend: "a text is Bytes or a string: a number becomes one within a template literal",
  },

  // Names of other places.
  {
    code: 2304,
    message: /'JSON'/,
    mend: "there is no JSON object: read JSON by a @config class or by JsonReader",
  },
  {
    code: 2304,
    message: /'undefined'/,
    mend: "there is no undefined: what is missing is null",
  },
  {
    code: 2304,
    message: /'(fetch|XMLHttpRequest|axios)'/,
    mend: "a plugin calls others by HttpCall or GrpcMethod",
  },
  {
    code: 2304,
    message: /'(setTimeout|setInterval)'/,
    mend: "time passes in a Background: tickEvery(ms) and onTick",
  },
  {
    code: 2304,
    message: /'(Buffer|TextEncoder|TextDecoder)'/,
    mend: "Bytes.of(text) makes bytes of a string, and value.toString() a string of bytes",
  },
  {
    code: 2304,
    message: /'(atob|btoa)'/,
    mend: "use fromBase64 and toBase64",
  },
  {
    code: 2304,
    message: /'(Promise|require|process|globalThis|window)'/,
    mend: "a plugin runs in the proxy: it has neither Node nor a browser, only @weft/sdk/assembly",
  },
  {
    code: 6054,
    message: /'~lib\/node:/,
    mend: "a plugin runs in the proxy, which has no Node: use what @weft/sdk/assembly offers",
  },
  {
    code: 6054,
    message: /'~lib\//,
    mend: "packages of JavaScript do not run here: only sources in AssemblyScript can be imported",
  },
  {
    code: 6054,
    message: /'assembly\/index\.ts'/,
    mend: "a plugin begins in assembly/index.ts, or where the entries of its asconfig.json say",
  },
  {
    code: 6054,
    mend: "the path is meant from this file on, and has no ending",
  },
  {
    code: 111,
    message: /abort\/abort'/,
    mend: `no class is a plugin: put @filter("my-filter") on one that derives from HttpFilter`,
  },
];

/** Members that JavaScript has under another name, by the class that has them here. */
const OTHER_NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Headers: { delete: "remove", append: "add", entries: "all", forEach: "all", keys: "all" },
  HeaderList: { append: "add", set: "add" },
  Bytes: { includes: "contains", substring: "slice", substr: "slice", charCodeAt: "at" },
  HttpResponse: { statusCode: "status", ok: "status" },
};

/** What to do about a complaint, in one sentence; "" if the complaint says it. */
export function mendOf(complaint: Complaint): string {
  const { code, message, around } = complaint;
  const known = MENDS.find(
    (each) =>
      each.code === code &&
      (each.message?.test(message) ?? true) &&
      (each.around?.test(around) ?? true),
  );
  if (known !== undefined) return known.mend;
  if (code === 2339) return otherName(message);
  return code === 2304 || code === 2305 ? importOf(code, message) : "";
}

/** "Property 'delete' does not exist on type '…/Headers'." */
function otherName(message: string): string {
  const [, name = "", type = ""] = /'(\w+)' .* '.*?(\w+)'/.exec(message) ?? [];
  const own = Object.hasOwn(OTHER_NAMES, type) ? OTHER_NAMES[type] : undefined;
  const meant = own !== undefined && Object.hasOwn(own, name) ? own[name] : undefined;
  return meant === undefined ? "" : `${type} calls it ${meant}`;
}

/** A name that the SDK has, or one nearly like it. */
function importOf(code: number, message: string): string {
  const name = /'(\w+)'\.?$/.exec(message)?.[1] ?? "";
  const names = sdkNames();
  if (code === 2304 && names.includes(name)) {
    return `import { ${name} } from "@weft/sdk/assembly"`;
  }
  const near = nearest(name, names);
  return near === undefined ? "" : `perhaps ${near} is meant`;
}

let exported: string[] | undefined;

/** What `@weft/sdk/assembly` exports. */
function sdkNames(): string[] {
  if (exported !== undefined) return exported;
  const text = readFileSync(join(import.meta.dirname, "..", "assembly", "index.ts"), "utf8");
  const lists = [...text.matchAll(/export \{([^}]*)\}/g)].map(([, list = ""]) => list);
  exported = lists.flatMap((list) => list.split(",").map((name) => name.trim()));
  return exported;
}
