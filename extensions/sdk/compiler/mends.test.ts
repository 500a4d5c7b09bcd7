import { afterAll, expect, test } from "vitest";
import { createBroken, filterWith, told } from "../probe/broken.ts";

const { errorOf, close } = await createBroken();

afterAll(close);

test.each([
  [
    "let n = 1; const next = (): i32 => n + 1; logInfo(next().toString());",
    36,
    "AS100 Not implemented: Closures",
    "a function sees no variables around it: pass them, or keep them in fields of a class",
  ],
  [
    "const f = (): void => { this.reset(); }; f();",
    30,
    "TS2339 Property 'reset' does not exist on type 'A#onRequestHeaders'.",
    "a function written in place has no this: make it a method, or pass what it needs",
  ],
  [
    "let x: any = 1;",
    8,
    "TS2304 Cannot find name 'any'.",
    "every type is named: write the type, or a generic function f<T>(value: T)",
  ],
  [
    "let x: string | i32 = 1;",
    17,
    "AS100 Not implemented: union types",
    "a type is one type or null: make a class with a field for each, or two functions",
  ],
  [
    "let x: Bytes | undefined = null;",
    16,
    "AS100 Not implemented: union types",
    "there is no undefined: what may be missing is written T | null",
  ],
  [
    "if (headers.get('a') == undefined) logInfo('none');",
    25,
    "TS2304 Cannot find name 'undefined'.",
    "there is no undefined: what is missing is null",
  ],
  [
    "const x = headers.get('a')?.length;",
    28,
    "TS1109 Expression expected.",
    "there is no ?.: keep the value in a const and ask if (value != null) first",
  ],
  [
    "const x = headers.get('a') ?? Bytes.of('b');",
    29,
    "TS1109 Expression expected.",
    "there is no ??: write value == null ? other : value",
  ],
  [
    "try { logInfo('a'); } catch (e) { logInfo('b'); }",
    1,
    "AS100 Not implemented: Exceptions",
    "nothing is thrown here: what may go wrong answers null or false, so ask for that",
  ],
  [
    "await f();",
    1,
    "TS1109 Expression expected.",
    "nothing waits here: a call goes on in an HttpCallback or a GrpcCallback",
  ],
  [
    "const r = /ab+/; logInfo(r.test('abb') ? 'y' : 'n');",
    11,
    "AS100 Not implemented: Regular expressions",
    "use startsWith, endsWith, indexOf and split of Bytes",
  ],
  [
    "const { start } = headers;",
    1,
    "TS1003 Identifier expected.",
    "there is no destructuring: take each by its name, as in const name = pair.name",
  ],
  [
    "const [a, b] = [1, 2];",
    1,
    "TS1003 Identifier expected.",
    "there is no destructuring: take each by its name, as in const name = pair.name",
  ],
  [
    "for (const value of headers.getAll('x')) logInfo(value);",
    1,
    "AS100 Not implemented: Iterators",
    "there is no for-of: count, as in for (let i = 0; i < list.length; i++)",
  ],
  [
    "for (const key in new Map<string, i32>()) logInfo(key);",
    12,
    "TS1155 'const' declarations must be initialized.",
    "there is no for-in: take the keys() of a Map and count through them",
  ],
  [
    "const p = { a: 1 };",
    11,
    "TS2322 Type '<object>' is not assignable to type 'auto'.",
    "an object needs a class: declare one with these fields and make it by new",
  ],
  [
    "const a = [1, 2]; const b = [...a];",
    30,
    "AS100 Not implemented: Spread operator",
    "there is no spread: arrays have concat; of anything else name each part",
  ],
  [
    "const big = 10n;",
    15,
    "TS1351 An identifier or keyword cannot immediately follow a numeric literal.",
    "there is no bigint: i64 and u64 have 64 bits and are written without n",
  ],
  [
    "const s = headers.get('a')!; if (s === 'b') logInfo('x');",
    34,
    "TS2322 Type 'Bytes' is not assignable to type 'string | null'.",
    `bytes are compared with a text by value.equals("text")`,
  ],
  [
    "const s: string = headers.get('a')!;",
    19,
    "TS2322 Type 'Bytes' is not assignable to type 'string'.",
    "bytes become a string by value.toString()",
  ],
  [
    "const s: Bytes = 'a';",
    18,
    "TS2322 Type 'string' is not assignable to type 'Bytes'.",
    "a string becomes bytes by Bytes.of(text)",
  ],
  [
    "const s = headers.get('a'); if (s.equals('b')) logInfo('x');",
    33,
    "TS2322 Type 'Bytes | null' is not assignable to type 'Bytes'.",
    "it may be null: keep it in a const and ask if (value != null) first",
  ],
  [
    "const h = headers.get('a'); const b = h == null ? null : h.trim();",
    58,
    "TS2322 Type 'Bytes' is not assignable to type 'usize'.",
    "null in ?: has no type: declare let value: T | null = null and assign to it",
  ],
  [
    "const x: u8 = headers.get('a')!.toInteger();",
    15,
    "AS200 Conversion from type 'i64' to 'u8' requires an explicit cast.",
    "numbers change their kind on purpose only: put the type in front, as in <i32>value",
  ],
  [
    "const x = JSON.parse('{}');",
    11,
    "TS2304 Cannot find name 'JSON'.",
    "there is no JSON object: read JSON by a @config class or by JsonReader",
  ],
  [
    "logInfo(JSON.stringify(headers));",
    8,
    "TS1140 Type argument expected.",
    "there is no JSON object: read JSON by a @config class or by JsonReader",
  ],
  [
    "logInfo(headers.path);",
    8,
    "TS1140 Type argument expected.",
    "what is passed here has no type: check that it exists, and write (x: i32): i32 => …",
  ],
  [
    "fetch('http://other');",
    1,
    "TS2304 Cannot find name 'fetch'.",
    "a plugin calls others by HttpCall or GrpcMethod",
  ],
  [
    "setTimeout(() => {}, 10);",
    1,
    "TS2304 Cannot find name 'setTimeout'.",
    "time passes in a Background: tickEvery(ms) and onTick",
  ],
  [
    "headers.delete('x');",
    9,
    "TS2339 Property 'delete' does not exist on type 'Headers'.",
    "Headers calls it remove",
  ],
  [
    "logWarn('x');",
    1,
    "TS2304 Cannot find name 'logWarn'.",
    `import { logWarn } from "@weft/sdk/assembly"`,
  ],
  ["logInf('x');", 1, "TS2304 Cannot find name 'logInf'.", "perhaps logInfo is meant"],
  [
    "const x = headers['a'];",
    11,
    "TS2329 Index signature is missing in type 'Headers'.",
    "it has no [ ]: headers are read by get, bytes by at",
  ],
  [
    "console.log('x');",
    1,
    "no proxy offers console.log",
    "say it by logInfo, or another log function",
  ],
  [
    "const now = Date.now();",
    13,
    "no proxy offers Date.now",
    "ask unixNs() for the time, in nanoseconds",
  ],
  ["const x = Math.random();", 11, "no proxy offers Math.random", "use random64()"],
  ["trace('x');", 1, "no proxy offers trace", "say it by logDebug"],
])("in a callback, %s", async (statement, column, message, mend) => {
  const { diagnostics } = await errorOf(filterWith(statement));
  expect(diagnostics.map(told)).toEqual([[`assembly/index.ts:5:${column}`, message, mend]]);
});

test.each([
  [
    "async function f(): Promise<void> { }",
    1,
    "TS1109 Expression expected.",
    "nothing waits here: a call goes on in an HttpCallback or a GrpcCallback",
  ],
  [
    "function f(x) { return x; }",
    14,
    "TS1110 Type expected.",
    "every parameter and every result has its type, as in (x: i32): i32",
  ],
  [
    "function f(x: i32) { return x; }",
    19,
    "TS1110 Type expected.",
    "every parameter and every result has its type, as in (x: i32): i32",
  ],
  [
    "class Q { x?: string; }",
    11,
    "AS219 Optional properties are not supported.",
    "a field that may be missing is written name: T | null = null",
  ],
  [
    "interface P { a: i32 }\nfunction f(): P { return { a: 1 }; }",
    26,
    "AS100 Not implemented: Interface hidden classes",
    "an object needs a class: declare one with these fields and make it by new",
  ],
  [
    "class Q { s: string; }\nfunction f(): Q { return new Q(); }",
    11,
    "TS2564 Property 'Q#s' has no initializer and is not assigned in the constructor before 'this' is used or returned.",
    "give it a first value, or write name!: T if it is set before anybody reads it",
  ],
  [
    `import { nope } from "@weft/sdk/assembly";\nfunction f(): void { nope(); }`,
    10,
    "TS2305 Module '@weft/sdk/assembly' has no exported member 'nope'.",
    "",
  ],
  [
    `import { logErrors } from "@weft/sdk/assembly";\nfunction f(): void { logErrors(""); }`,
    10,
    "TS2305 Module '@weft/sdk/assembly' has no exported member 'logErrors'.",
    "perhaps logError is meant",
  ],
  [
    `import { readFile } from "node:fs";`,
    26,
    "TS6054 File 'node:fs.ts' not found.",
    "a plugin runs in the proxy, which has no Node: use what @weft/sdk/assembly offers",
  ],
  [
    `import x from "lodash";`,
    15,
    "TS6054 File 'lodash.ts' not found.",
    "packages of JavaScript do not run here: only sources in AssemblyScript can be imported",
  ],
  [
    `import { x } from "./nothing";`,
    19,
    "TS6054 File 'assembly/nothing.ts' not found.",
    "the path is meant from this file on, and has no ending",
  ],
])("in a file, %s", async (declarations, column, message, mend) => {
  const statement = declarations.includes(" f(") ? "f();" : "";
  const { diagnostics } = await errorOf(filterWith(statement, declarations));
  const line = diagnostics[0]?.line;
  expect(diagnostics.map(told)).toEqual([[`assembly/index.ts:${line}:${column}`, message, mend]]);
});
