import { FieldDeclaration, type Parser, type TypeNode } from "assemblyscript";
import {
  complain,
  decoratorOf,
  docOf,
  methodsOf,
  numberOf,
  type PluginClass,
  type PluginClasses,
  textOf,
  typeNameOf,
  writtenAt,
} from "./syntax.ts";

/** What a setting can be. */
export type SettingType =
  | { readonly kind: "bool" | "string" | "bytes" }
  | {
      readonly kind: "integer";
      readonly name: string;
      readonly least: bigint;
      readonly most: bigint;
    }
  | { readonly kind: "number"; readonly name: string }
  | { readonly kind: "class"; readonly name: string }
  | { readonly kind: "itself"; readonly name: string; readonly schema: unknown }
  | { readonly kind: "array" | "map"; readonly item: SettingType; readonly written: string };

/** One field of a configuration. */
export interface Setting {
  readonly name: string;
  readonly type: SettingType;
  readonly isNullable: boolean;
  /** Whether it has no default and so must be given. */
  readonly isRequired: boolean;
  /** The default as JSON, where it can be told from the source. */
  readonly defaultValue: unknown;
  readonly min: string | null;
  readonly max: string | null;
  readonly doc: string;
}

/** A class that is read from JSON. */
export interface ConfigClass {
  readonly name: string;
  readonly doc: string;
  readonly settings: readonly Setting[];
  readonly declaredAs: PluginClass;
  /** Whether it has a last word, `check(json: JsonReader): void`. */
  readonly hasCheck: boolean;
}

/** Settings of one class: each has a bit of a word, to notice what is given twice. */
const SETTINGS_MAX = 64;

const INTEGERS: Record<string, readonly [bigint, bigint]> = {
  i8: [-128n, 127n],
  u8: [0n, 255n],
  i16: [-32_768n, 32_767n],
  u16: [0n, 65_535n],
  i32: [-2_147_483_648n, 2_147_483_647n],
  u32: [0n, 4_294_967_295n],
  // JSON numbers of more digits are refused: not every writer of JSON has them.
  i64: [-999_999_999_999_999_999n, 999_999_999_999_999_999n],
  u64: [0n, 999_999_999_999_999_999n],
};

/** The classes with @config, by name; what is wrong with them goes to the compiler's errors. */
export function configClassesOf(parser: Parser, classes: PluginClasses): Map<string, ConfigClass> {
  const found = new Map<string, ConfigClass>();
  for (const each of classes.values()) {
    if (decoratorOf(each.declaration, "config") === undefined) continue;
    const fields = each.declaration.members.filter((member) => member instanceof FieldDeclaration);
    const own = fields.filter((field) => !writtenAt(field.range).includes("static "));
    if (own.length > SETTINGS_MAX) {
      const mend = "move some into a nested @config class";
      complain(parser, each.declaration.name.range, `more than ${SETTINGS_MAX} settings`, mend);
    }
    found.set(each.name, {
      name: each.name,
      doc: docOf(each.declaration),
      settings: own.flatMap((field) => settingOf(parser, classes, field) ?? []),
      declaredAs: each,
      hasCheck: methodsOf([each]).has("check"),
    });
  }
  return found;
}

function settingOf(
  parser: Parser,
  classes: PluginClasses,
  field: FieldDeclaration,
): Setting | undefined {
  const name = field.name.text;
  const type = field.type === null ? null : typeOf(classes, field.type);
  if (typeof type === "string" || type === null) {
    const why = type ?? "it has no type";
    const mend =
      "settings are bool, integers, f32, f64, string, Bytes, @config classes, Array and " +
      "Map<string, T>";
    complain(parser, field.range, `${name} is no setting, because ${why}`, mend);
    return undefined;
  }
  const bound = (which: "min" | "max") => {
    const decorator = decoratorOf(field, which);
    if (decorator === undefined) return null;
    const value = numberOf(decorator.args?.[0]);
    if (value === null) {
      complain(parser, decorator.range, `@${which} needs a number`, `write @${which}(1)`);
    }
    return value;
  };
  const { initializer } = field;
  return {
    name,
    type,
    isNullable: field.type?.isNullable ?? false,
    isRequired: initializer === null,
    defaultValue: initializer === null ? undefined : jsonOf(writtenAt(initializer.range)),
    min: bound("min"),
    max: bound("max"),
    doc: docOf(field),
  };
}

/** The type of a setting, or why it can be none. */
function typeOf(classes: PluginClasses, node: TypeNode): SettingType | string {
  const name = typeNameOf(node);
  const [first, second] = (node as { typeArguments?: TypeNode[] | null }).typeArguments ?? [];
  const integer = INTEGERS[name];
  if (integer !== undefined) return { kind: "integer", name, least: integer[0], most: integer[1] };
  if (name === "bool" || name === "string") return { kind: name };
  if (name === "Bytes") return { kind: "bytes" };
  if (name === "f64" || name === "f32") return { kind: "number", name };
  if (name === "Array" && first !== undefined) return collectionOf(classes, "array", node, first);
  if (name === "Map" && second !== undefined) {
    if (typeNameOf(first) !== "string") return "the keys of a map are strings";
    return collectionOf(classes, "map", node, second);
  }
  const known = classes.get(name);
  if (known === undefined) return `${name || "this type"} is not known here`;
  if (decoratorOf(known.declaration, "config") !== undefined) return { kind: "class", name };
  if (!methodsOf([known]).has("read"))
    return `${name} has no @config and no read(json: JsonReader)`;
  const schema = textOf(decoratorOf(known.declaration, "schema")?.args?.[0] as never);
  return { kind: "itself", name, schema: schema === null ? {} : jsonOf(schema) };
}

function collectionOf(
  classes: PluginClasses,
  kind: "array" | "map",
  node: TypeNode,
  item: TypeNode,
): SettingType | string {
  const type = typeOf(classes, item);
  if (typeof type === "string") return type;
  return { kind, item: type, written: writtenAt(node.range).replace(/\s*\|\s*null$/, "") };
}

/** What a literal means in JSON; undefined if it is more than a literal. */
function jsonOf(written: string): unknown {
  const text = /^Bytes\.of\((".*")\)$/s.exec(written)?.[1] ?? written;
  // Of a number, underscores are no part; of a text they are.
  const json = /^-?\d/.test(text) ? text.replaceAll("_", "") : text;
  try {
    return JSON.parse(json);
  } catch {
    return undefined; // An expression: the schema leaves the default out.
  }
}
