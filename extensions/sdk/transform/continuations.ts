import {
  CallExpression,
  ClassDeclaration,
  MethodDeclaration,
  type Node,
  type Parser,
  PropertyAccessExpression,
  type Source,
  ThisExpression,
  type VariableStatement,
} from "assemblyscript";
import { exportIt, parseStatements, rewrite } from "./syntax.ts";

/** Where the generated classes seem to lie, so that "./assembly/…" leads to the plugin's files. */
const CONTINUATIONS_PATH = "weft-continuations.ts";

/** The flags of a method that only its class, or one derived from it, may call. */
const HIDDEN_FLAGS = 512 | 1024;

/** What becomes of methods that go on when a call is answered. */
export interface Continuations {
  /** The generated file, or null if there are none. */
  readonly source: Source | null;
  /** Uses of `this` that lead back to the stream that has called, and to no other. */
  readonly returning: ReadonlySet<Node>;
}

/**
 * There are no closures: what goes on after a call is a class. It is generated for a method of the
 * caller's, so that `call.send(this, this.onAnswer)` is all there is to write.
 */
export function addContinuations(parser: Parser, own: readonly Source[]): Continuations {
  const generated: string[] = [];
  const names = new Map<string, string>();
  const returning = new Set<Node>();
  for (const source of own) {
    for (const declaration of source.statements) {
      if (!(declaration instanceof ClassDeclaration)) continue;
      rewrite(declaration, (node) => {
        const reference = referenceIn(node);
        if (reference === null) return node;
        const { call, method } = reference;
        const key = `${source.normalizedPath} ${declaration.name.text} ${method}`;
        const name = names.get(key) ?? `WeftContinuation${names.size}`;
        if (!names.has(key)) {
          names.set(key, name);
          generated.push(classOf(name, source, declaration, method));
          show(declaration, method);
        }
        const [statement] = parseStatements(parser, `const x = new ${name}(this);`, call.range);
        const [made] = (statement as VariableStatement).declarations;
        const then = made?.initializer as CallExpression;
        call.args[1] = then;
        for (const self of [call.args[0], then.args[0]])
          if (self !== undefined) returning.add(self);
        return node;
      });
    }
  }
  if (generated.length === 0) return { source: null, returning };
  const imports = `import { HttpCallback, HttpResponse } from "@weft/sdk/assembly";`;
  parser.parseFile([imports, ...generated].join("\n"), CONTINUATIONS_PATH, false);
  const source = parser.sources.find(({ normalizedPath }) => normalizedPath === CONTINUATIONS_PATH);
  return { source: source ?? null, returning };
}

/** `….send(this, this.method)`, or null. */
function referenceIn(node: Node): { call: CallExpression; method: string } | null {
  if (!(node instanceof CallExpression && node.expression instanceof PropertyAccessExpression)) {
    return null;
  }
  const [owner, then] = node.args;
  const isSend = node.expression.property.text === "send" && node.args.length === 2;
  if (!(isSend && owner instanceof ThisExpression)) return null;
  if (!(then instanceof PropertyAccessExpression)) return null;
  return then.expression instanceof ThisExpression
    ? { call: node, method: then.property.text }
    : null;
}

function classOf(
  name: string,
  { normalizedPath }: Source,
  declaration: ClassDeclaration,
  method: string,
): string {
  const owner = `${name}Owner`;
  exportIt(declaration);
  return `
import { ${declaration.name.text} as ${owner} } from "./${normalizedPath.replace(/\.ts$/, "")}";
@global class ${name} extends HttpCallback {
  private readonly caller: ${owner};
  constructor(caller: ${owner}) {
    super();
    this.caller = caller;
  }
  onResponse(response: HttpResponse): void {
    this.caller.${method}(response);
  }
}`;
}

/** Lets the generated class call a method that nobody else may. */
function show(declaration: ClassDeclaration, method: string): void {
  for (const member of declaration.members) {
    if (!(member instanceof MethodDeclaration) || member.name.text !== method) continue;
    const flagged = member as { flags: number };
    flagged.flags &= ~HIDDEN_FLAGS;
  }
}
