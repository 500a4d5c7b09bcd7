import {
  BinaryExpression,
  BreakStatement,
  ContinueStatement,
  DoStatement,
  ExpressionStatement,
  FieldDeclaration,
  ForOfStatement,
  ForStatement,
  FunctionDeclaration,
  IfStatement,
  Node,
  Parser,
  ReturnStatement,
  SwitchStatement,
  TernaryExpression,
  ThrowStatement,
  VariableStatement,
  VoidStatement,
  WhileStatement,
} from "assemblyscript";

/** A stretch of a text, in characters. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What there is to cover in a source. */
export interface Outline {
  readonly functions: readonly OutlinedFunction[];
  readonly statements: readonly OutlinedStatement[];
  readonly branches: readonly OutlinedBranch[];
}

export interface OutlinedStatement extends Span {
  /** What a loop begins with before its turns; null where there is nothing like that. */
  readonly initializer: Span | null;
}

export interface OutlinedFunction extends Span {
  readonly name: string;
  readonly declaration: Span;
  readonly body: Span;
}

export interface OutlinedBranch extends Span {
  readonly kind: "if" | "switch" | "cond-expr" | "binary-expr";
  /** Null is the `else` that an `if` does without. */
  readonly ways: readonly (Span | null)[];
}

const STATEMENTS = [
  ...[ExpressionStatement, VariableStatement, ReturnStatement, ThrowStatement, VoidStatement],
  ...[IfStatement, SwitchStatement, ForStatement, ForOfStatement, WhileStatement, DoStatement],
  ...[BreakStatement, ContinueStatement],
];

/** The compiler's numbers for `&&` and `||`. */
const LOGICAL: readonly number[] = [97, 98];

/** Parses AssemblyScript and lists its functions, statements and branches as they stand. */
export function outline(text: string, path: string): Outline {
  const parser = new Parser();
  parser.parseFile(text, path, true);
  const functions: OutlinedFunction[] = [];
  const statements: OutlinedStatement[] = [];
  const branches: OutlinedBranch[] = [];
  const visit = (node: Node): void => {
    if (node instanceof FunctionDeclaration && node.body !== null) {
      const { name, range, body } = node;
      const declaration = spanOf(name.range.end > name.range.start ? name.range : range);
      functions.push({ ...spanOf(range), name: name.text, declaration, body: spanOf(body.range) });
    }
    const isField = node instanceof FieldDeclaration && node.initializer !== null;
    if (isField || STATEMENTS.some((kind) => node instanceof kind)) {
      const first = node instanceof ForStatement ? node.initializer : null;
      const initializer = first === null ? null : spanOf(first.range);
      statements.push({ ...spanOf(node.range), initializer });
    }
    const branch = branchOf(node);
    if (branch !== null) branches.push(branch);
    for (const child of childrenOf(node)) visit(child);
  };
  for (const source of parser.sources) for (const each of source.statements) visit(each);
  return { functions, statements, branches };
}

function branchOf(node: Node): OutlinedBranch | null {
  const span = spanOf(node.range);
  if (node instanceof IfStatement) {
    const not = node.ifFalse === null ? null : spanOf(node.ifFalse.range);
    return { ...span, kind: "if", ways: [spanOf(node.ifTrue.range), not] };
  }
  if (node instanceof TernaryExpression) {
    const ways = [spanOf(node.ifThen.range), spanOf(node.ifElse.range)];
    return { ...span, kind: "cond-expr", ways };
  }
  if (node instanceof SwitchStatement) {
    // A case without statements goes on into the next one.
    const ways = node.cases.flatMap(({ statements: [first, ...rest] }) => {
      if (first === undefined) return [];
      return [{ start: first.range.start, end: (rest.at(-1) ?? first).range.end }];
    });
    return { ...span, kind: "switch", ways };
  }
  if (node instanceof BinaryExpression && LOGICAL.includes(node.operator)) {
    const ways = [spanOf(node.left.range), spanOf(node.right.range)];
    return { ...span, kind: "binary-expr", ways };
  }
  return null;
}

/** The nodes within a node, in whatever field of it. */
function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flat()
    .filter((each): each is Node => each instanceof Node);
}

const spanOf = ({ start, end }: Span): Span => ({ start, end });
