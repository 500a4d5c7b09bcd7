import {
  CallExpression,
  type Expression,
  IdentifierExpression,
  NewExpression,
  Node,
  ParenthesizedExpression,
  type Source,
  StringLiteralExpression,
  TernaryExpression,
  VariableDeclaration,
} from "assemblyscript";
import { rewrite } from "./syntax.ts";

/** Functions that want a literal as the compiler knows it. */
const COMPILE_TIME = ["ERROR", "WARNING", "INFO", "assert", "abort", "trace", "nameof"];

/** In front of an object's data: words of the memory manager and the collector, id and size. */
const HEADER_BYTES = 20;

/** What the compiler numbers strings with. */
const STRING_ID = 2;

/** Says that UTF-8 follows the UTF-16; the bits below it hold its length. See assembly/text.ts. */
const LITERAL_BIT = 0x8000_0000;

/** Which texts a literal is lowered to: what is only ever read as UTF-8 needs no UTF-16. */
type Encoding = "both" | "utf8";

/** Says of a file of the SDK's, near its top, that it passes literals only to who reads UTF-8. */
const UTF8_MARK = /^\/\/ @utf8-literals\b/m;
const MARK_WITHIN = 500;

/**
 * Puts in place of each string literal that is an argument a string whose UTF-8 lies behind its
 * UTF-16. It stays a string of the same text, so that this changes the meaning of no program.
 */
export interface Literals {
  /** Lowers the literals of a source. */
  lower(source: Source): void;
  /** Lowers those of statements that pass texts to nobody but who reads UTF-8. */
  lowerTexts(statements: readonly Node[]): void;
  /** The declarations of all strings so far, to be compiled with the rest. */
  declarations(): string;
}

export function createLiterals(): Literals {
  const names = new Map<string, string>();

  const lowered = (
    { value: text, range }: StringLiteralExpression,
    encoding: Encoding,
  ): Expression => {
    const key = `${encoding} ${text}`;
    const name = names.get(key) ?? `weftText${names.size}`;
    names.set(key, name);
    // Made by hand, since each literal of the SDK is lowered in every build.
    const type = Node.createNamedType(
      Node.createSimpleTypeName("string", range),
      null,
      false,
      range,
    );
    const callee = Node.createIdentifierExpression("changetype", range);
    const address = Node.createIdentifierExpression(name, range);
    return Node.createCallExpression(callee, [type], [address], range);
  };

  const loweredArgument = (argument: Expression, encoding: Encoding): Expression => {
    if (argument instanceof StringLiteralExpression) return lowered(argument, encoding);
    if (argument instanceof ParenthesizedExpression) {
      argument.expression = loweredArgument(argument.expression, encoding);
    }
    if (argument instanceof TernaryExpression) {
      argument.ifThen = loweredArgument(argument.ifThen, encoding);
      argument.ifElse = loweredArgument(argument.ifElse, encoding);
    }
    return argument;
  };

  const lowerAll = (statements: readonly Node[], encoding: Encoding): void => {
    const lowerIn = (node: Node): Node => {
      if (node instanceof CallExpression || node instanceof NewExpression) {
        if (!(node instanceof CallExpression && isCompileTime(node.expression))) {
          node.args = node.args.map((argument) => loweredArgument(argument, encoding));
        }
      }
      if (
        node instanceof VariableDeclaration &&
        node.initializer instanceof StringLiteralExpression
      ) {
        node.initializer = lowered(node.initializer, "both");
      }
      return node;
    };
    for (const statement of statements) {
      lowerIn(statement);
      rewrite(statement, lowerIn);
    }
  };

  return {
    lower: ({ statements, text }) => {
      lowerAll(statements, UTF8_MARK.test(text.slice(0, MARK_WITHIN)) ? "utf8" : "both");
    },
    lowerTexts: (statements) => lowerAll(statements, "utf8"),
    declarations: () =>
      [...names]
        .map(([key, name]) => {
          const [encoding = ""] = key.split(" ", 1);
          const content = data(key.slice(encoding.length + 1), encoding === "both");
          return `@global @lazy const ${name} = ${content} + ${HEADER_BYTES};`;
        })
        .join("\n"),
  };
}

function isCompileTime(callee: Expression): boolean {
  return callee instanceof IdentifierExpression && COMPILE_TIME.includes(callee.text);
}

/** A string object in static memory, with its UTF-8 behind it; to others it may seem empty. */
function data(text: string, hasUtf16: boolean): string {
  const utf16 = Buffer.from(hasUtf16 ? text : "", "utf16le");
  const utf8 = Buffer.from(text);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE((LITERAL_BIT | utf8.byteLength) >>> 0, 0);
  header.writeUInt32LE(STRING_ID, 12);
  header.writeUInt32LE(utf16.byteLength, 16);
  return `memory.data<u8>([${[...header, ...utf16, ...utf8].join(",")}], 16)`;
}
