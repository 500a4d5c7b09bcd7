import {
  ClassDeclaration,
  ConstructorExpression,
  FieldDeclaration,
  MethodDeclaration,
  type Node,
  type Parser,
  PropertyAccessExpression,
  StringLiteralExpression,
  ThisExpression,
} from "assemblyscript";
import type { FilterClass } from "./filters.ts";
import {
  lineageOf,
  numberOf,
  type PluginClasses,
  parseStatements,
  rewrite,
  typeNameOf,
  writtenAt,
} from "./syntax.ts";

/** The method that the transform adds to a filter that may serve one stream after another. */
export const RESET = "weftReset";

const NUMBERS = /^([iu](8|16|32|64)|[iu]size|f32|f64)$/;

/** Flags of a member: it belongs to the class itself, or may not be assigned. */
const STATIC_FLAG = 32;
const READONLY_FLAG = 64;

/**
 * Gives a filter a method that makes its fields as good as new, so that a stream that begins can
 * take the object of one that has ended. Answers whether it could: not if the object may be known
 * to somebody else by then, or if a field's first value cannot be told. `returning` are uses of
 * `this` that do not count: a continuation calls only the stream that it was made for.
 */
export function addReset(
  parser: Parser,
  classes: PluginClasses,
  filter: FilterClass,
  returning: ReadonlySet<Node>,
): boolean {
  const { declaration } = filter;
  if (lineageOf(classes, filter).own.length !== 1) return false;
  if (handsItselfOut(declaration, returning)) return false;
  const hasConstructor = declaration.members.some(
    (member) => member instanceof MethodDeclaration && member.name instanceof ConstructorExpression,
  );
  if (hasConstructor) return false;
  const fields = declaration.members.filter((member) => member instanceof FieldDeclaration);
  const resets = fields.map(resetOf);
  if (resets.includes(null)) return false;
  const text = `class Reset { ${RESET}(): void { ${resets.join(" ")} } }`;
  const [reset] = parseStatements(parser, text, declaration.name.range);
  if (reset instanceof ClassDeclaration) declaration.members.push(...reset.members);
  return true;
}

/** Whether `this` stands anywhere but before a dot: then others may keep the object. */
function handsItselfOut(declaration: ClassDeclaration, returning: ReadonlySet<Node>): boolean {
  let uses = 0;
  rewrite(declaration, (node) => {
    if (node instanceof ThisExpression && !returning.has(node)) uses++;
    if (node instanceof PropertyAccessExpression && node.expression instanceof ThisExpression) {
      uses--;
    }
    return node;
  });
  return uses !== 0;
}

/** The statement that gives a field its first value; "" if it keeps it, null if there is none. */
function resetOf({ name, type, initializer, flags }: FieldDeclaration): string | null {
  if (((flags as number) & STATIC_FLAG) !== 0) return "";
  if (((flags as number) & READONLY_FLAG) !== 0) {
    const isConstant = initializer instanceof StringLiteralExpression;
    return isConstant || numberOf(initializer ?? undefined) !== null ? "" : null;
  }
  if (initializer !== null) return `this.${name.text} = ${writtenAt(initializer.range)};`;
  if (type?.isNullable === true) return `this.${name.text} = null;`;
  if (typeNameOf(type) === "bool") return `this.${name.text} = false;`;
  return NUMBERS.test(typeNameOf(type)) ? `this.${name.text} = 0;` : null;
}
