import {
  CallExpression,
  IdentifierExpression,
  NewExpression,
  type Node,
  type Parser,
  PropertyAccessExpression,
  type Source,
} from "assemblyscript";
import { complain, isNamed, rewrite } from "./syntax.ts";

/**
 * Globals that the compiler knows and turns into imports of a browser or of Node, by object and
 * member: a module that has one does not load in a proxy. "" stands for any member.
 */
const FOREIGNERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  console: { "": "say it by logInfo, or another log function" },
  Date: { now: "ask unixNs() for the time, in nanoseconds" },
  Math: { random: "use random64()", seedRandom: "use random64()" },
  performance: { "": "measure by monotonicNs()" },
  crypto: { "": "use random64() for randomness, sha256 and hmacSha256 for digests" },
  process: { "": "a plugin has no process: use logInfo to say something" },
};

const TRACE_MEND = "say it by logDebug";
const NOW_MEND = "ask unixNs() for the time, in nanoseconds";

/** Complains of what would need a browser or Node. */
export function complainOfForeigners(parser: Parser, source: Source): void {
  const check = (node: Node): Node => {
    if (
      node instanceof PropertyAccessExpression &&
      node.expression instanceof IdentifierExpression
    ) {
      const owner = node.expression.text;
      const members = Object.hasOwn(FOREIGNERS, owner) ? FOREIGNERS[owner] : undefined;
      const mend = members?.[""] ?? members?.[node.property.text];
      if (mend !== undefined && !isDeclared(source, owner))
        refuse(parser, node, `${owner}.${node.property.text}`, mend);
    }
    if (node instanceof CallExpression && isNamed(node.expression, "trace")) {
      refuse(parser, node, "trace", TRACE_MEND);
    }
    if (node instanceof NewExpression && node.typeName.identifier.text === "Date") {
      if (node.args.length === 0) refuse(parser, node, "the time of new Date()", NOW_MEND);
    }
    return node;
  };
  for (const statement of source.statements) {
    check(statement);
    rewrite(statement, check);
  }
}

/** Whether a file has something of its own by that name: a variable, a parameter, a class. */
function isDeclared({ text }: Source, name: string): boolean {
  const declared = `\\b(const|let|var|class|namespace|function)\\s+${name}\\b`;
  return new RegExp(`${declared}|[(,{]\\s*${name}\\s*[:,}]`).test(text);
}

function refuse(parser: Parser, node: Node, what: string, mend: string): void {
  complain(parser, node.range, `no proxy offers ${what}`, mend);
}
