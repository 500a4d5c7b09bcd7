import {
  ClassDeclaration,
  type DeclarationStatement,
  type DecoratorNode,
  DiagnosticCode,
  type Expression,
  FloatLiteralExpression,
  IdentifierExpression,
  IntegerLiteralExpression,
  MethodDeclaration,
  NamedTypeNode,
  Node,
  type Parser,
  type Range,
  type Source,
  type Statement,
  StringLiteralExpression,
  TemplateLiteralExpression,
  UnaryPrefixExpression,
} from "assemblyscript";

/** The flag of a declaration that its module exports. */
const EXPORT_FLAG = 2;

/** The flag of a member that belongs to the class itself. */
const STATIC_FLAG = 32;

/** A class of the plugin's own, and where it stands. */
export interface PluginClass {
  readonly name: string;
  readonly source: Source;
  readonly declaration: ClassDeclaration;
}

/** The classes of the plugin's own sources, by name. */
export type PluginClasses = ReadonlyMap<string, PluginClass>;

export function classesOf(sources: readonly Source[]): PluginClasses {
  const classes = new Map<string, PluginClass>();
  for (const source of sources) {
    for (const declaration of source.statements) {
      if (!(declaration instanceof ClassDeclaration)) continue;
      const name = declaration.name.text;
      if (!classes.has(name)) classes.set(name, { name, source, declaration });
    }
  }
  return classes;
}

/** A class and those it derives from, as far as they are the plugin's own; and what follows. */
export function lineageOf(classes: PluginClasses, { name }: PluginClass) {
  const own: PluginClass[] = [];
  let next: PluginClass | undefined = classes.get(name);
  let base: NamedTypeNode | null = null;
  while (next !== undefined && !own.includes(next)) {
    own.push(next);
    base = next.declaration.extendsType;
    next = base === null ? undefined : classes.get(base.name.identifier.text);
  }
  return { own, base };
}

/** The names of the methods that these classes define. */
export function methodsOf(classes: readonly PluginClass[]): Set<string> {
  const methods = classes.flatMap(({ declaration }) =>
    declaration.members.filter((member) => member instanceof MethodDeclaration),
  );
  const own = methods.filter((method) => ((method.flags as number) & STATIC_FLAG) === 0);
  return new Set(own.map((method) => method.name.text));
}

/** The decorator of this name, or undefined. */
export function decoratorOf(node: DeclarationStatement, name: string): DecoratorNode | undefined {
  return node.decorators?.find((decorator) => isNamed(decorator.name, name));
}

/** Takes off the decorators that only the transform knows. */
export function dropDecorators(node: DeclarationStatement, names: readonly string[]): void {
  if (node.decorators === null) return;
  const left = node.decorators.filter(({ name }) => !names.some((each) => isNamed(name, each)));
  node.decorators = left.length > 0 ? left : null;
}

/** Makes a declaration importable, as the plugin's author need not remember to. */
export function exportIt(declaration: DeclarationStatement): void {
  (declaration as { flags: number }).flags |= EXPORT_FLAG;
}

export function isNamed(node: Expression, name: string): boolean {
  return node instanceof IdentifierExpression && node.text === name;
}

/** The text of a string literal, or of a template without expressions; or null. */
export function textOf(node: Expression | undefined): string | null {
  if (node instanceof TemplateLiteralExpression && node.expressions.length === 0) {
    return node.parts[0] ?? "";
  }
  return node instanceof StringLiteralExpression ? node.value : null;
}

/** The value of a number as it is written, or null; integers may have more digits than a double. */
export function numberOf(node: Expression | undefined): string | null {
  if (node instanceof UnaryPrefixExpression || node instanceof IntegerLiteralExpression) {
    const text = writtenAt(node.range).replaceAll("_", "");
    return Number.isFinite(Number(text)) ? text : null;
  }
  return node instanceof FloatLiteralExpression ? writtenAt(node.range) : null;
}

/** The source text of a range. */
export function writtenAt({ source, start, end }: Range): string {
  return (source as Source).text.slice(start, end);
}

/** The comment right before a declaration, without its frame; "" if there is none. */
export function docOf(node: Node): string {
  const before = (node.range.source as Source).text.slice(0, node.range.start).trimEnd();
  if (!before.endsWith("*/")) return "";
  const start = before.lastIndexOf("/**");
  if (start < 0) return "";
  const lines = before.slice(start + 3, -2).split("\n");
  return lines
    .map((line) => line.trim().replace(/^\* ?/, ""))
    .join(" ")
    .trim();
}

/** Calls back for each node below one, parents first; what it answers takes the node's place. */
export function rewrite(node: Node, change: (node: Node) => Node): void {
  const slots = node as unknown as Record<string, unknown>;
  // Every build walks all sources: `in` and a counter are the fastest ways through a node.
  for (const key in slots) {
    const value = slots[key];
    if (typeof value !== "object" || value === null || key === "range") continue;
    if (value instanceof Node) slots[key] = rewritten(value, change);
    if (!Array.isArray(value)) continue;
    for (let i = 0; i < value.length; i++) {
      if (value[i] instanceof Node) value[i] = rewritten(value[i], change);
    }
  }
}

function rewritten(node: Node, change: (node: Node) => Node): Node {
  const changed = change(node);
  if (changed === node) rewrite(node, change);
  return changed;
}

/**
 * Parses statements with the compiler's own parser, which also loads what they import. They stand
 * for what is written at `range`: there the compiler finds its way and complaints point.
 */
export function parseStatements(parser: Parser, text: string, range: Range): Statement[] {
  parser.parseFile(text, `weft-generated-${parser.donelog.size}.ts`, false);
  const statements = parser.sources.pop()?.statements ?? [];
  const place = (node: Node): Node => {
    node.range = range;
    return node;
  };
  for (const statement of statements) rewrite(place(statement), place);
  return statements;
}

/** What stands between a message and its mend in the errors of the compiler, which has one text. */
export const MEND_MARK = "\n";

/** Reports an error as the compiler does its own, and how to mend it. */
export function complain(parser: Parser, range: Range, message: string, mend: string): void {
  parser.error(DiagnosticCode.User_defined_0, range, `${message}${MEND_MARK}${mend}`);
}

/** The name of a type without its arguments, or "" if it is no named type. */
export function typeNameOf(type: Node | null | undefined): string {
  return type instanceof NamedTypeNode ? type.name.identifier.text : "";
}
