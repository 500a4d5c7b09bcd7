import type { ConfigClass, Setting, SettingType } from "./config-class.ts";

type Schema = Record<string, unknown>;

type Classes = ReadonlyMap<string, ConfigClass>;

/** The JSON Schema of what a @config class accepts, with one definition per nested class. */
export function schemaOf(classes: Classes, root: ConfigClass, title: string): Schema {
  const nested = reachableFrom(classes, root);
  const definitions = nested.map((each): [string, Schema] => [each.name, objectOf(each)]);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title,
    ...objectOf(root),
    ...(definitions.length > 0 ? { $defs: Object.fromEntries(definitions) } : {}),
  };
}

/** The schema of a plugin that takes no settings. */
export function emptySchema(title: string): Schema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title,
    type: "object",
    additionalProperties: false,
    properties: {},
  };
}

/** TypeScript for whoever writes such a configuration in a program. */
export function typesOf(classes: Classes, root: ConfigClass): string {
  const all = [root, ...reachableFrom(classes, root)];
  return `${all.map(interfaceOf).join("\n\n")}\n`;
}

/** The @config classes that a class holds, at any depth, in the order in which they are met. */
function reachableFrom(classes: Classes, root: ConfigClass): ConfigClass[] {
  const found = new Set<ConfigClass>();
  const visit = (type: SettingType): void => {
    if (type.kind === "array" || type.kind === "map") visit(type.item);
    const next = type.kind === "class" ? classes.get(type.name) : undefined;
    if (next === undefined || found.has(next)) return;
    found.add(next);
    for (const setting of next.settings) visit(setting.type);
  };
  for (const setting of root.settings) visit(setting.type);
  return [...found];
}

function objectOf({ doc, settings }: ConfigClass): Schema {
  const required = settings.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  return {
    ...(doc === "" ? {} : { description: doc }),
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(settings.map((each) => [each.name, settingSchema(each)])),
    ...(required.length > 0 ? { required } : {}),
  };
}

function settingSchema(setting: Setting): Schema {
  const { doc, defaultValue, isNullable } = setting;
  const schema = { ...schemaOfType(setting.type), ...bounds(setting) };
  return {
    ...(doc === "" ? {} : { description: doc }),
    ...(isNullable ? { anyOf: [schema, { type: "null" }] } : schema),
    ...(defaultValue === undefined ? {} : { default: defaultValue }),
  };
}

function schemaOfType(type: SettingType): Schema {
  switch (type.kind) {
    case "bool":
      return { type: "boolean" };
    case "string":
    case "bytes":
      return { type: "string" };
    case "integer":
      return { type: "integer", minimum: Number(type.least), maximum: Number(type.most) };
    case "number":
      return { type: "number" };
    case "class":
      return { $ref: `#/$defs/${type.name}` };
    case "itself":
      return type.schema as Schema;
    case "array":
      return { type: "array", items: schemaOfType(type.item) };
    case "map":
      return { type: "object", additionalProperties: schemaOfType(type.item) };
  }
}

/** What JSON Schema calls @min and @max of each kind. */
function bounds({ type, min, max }: Setting): Schema {
  const names = BOUNDS[type.kind];
  if (names === undefined) return {};
  return {
    ...(min === null ? {} : { [names[0]]: Number(min) }),
    ...(max === null ? {} : { [names[1]]: Number(max) }),
  };
}

const BOUNDS: Partial<Record<SettingType["kind"], readonly [string, string]>> = {
  integer: ["minimum", "maximum"],
  number: ["minimum", "maximum"],
  string: ["minLength", "maxLength"],
  bytes: ["minLength", "maxLength"],
  array: ["minItems", "maxItems"],
  map: ["minProperties", "maxProperties"],
};

function interfaceOf({ name, doc, settings }: ConfigClass): string {
  const fields = settings.map((setting) => {
    const comment = setting.doc === "" ? "" : `  /** ${setting.doc} */\n`;
    const optional = setting.isRequired ? "" : "?";
    const type = `${typeScriptOf(setting.type)}${setting.isNullable ? " | null" : ""}`;
    return `${comment}  readonly ${setting.name}${optional}: ${type};`;
  });
  const comment = doc === "" ? "" : `/** ${doc} */\n`;
  return `${comment}export interface ${name} {\n${fields.join("\n")}\n}`;
}

function typeScriptOf(type: SettingType): string {
  switch (type.kind) {
    case "bool":
      return "boolean";
    case "string":
    case "bytes":
      return "string";
    case "integer":
    case "number":
      return "number";
    case "class":
      return type.name;
    case "itself":
      return "unknown";
    case "array":
      return `readonly ${elementOf(type.item)}[]`;
    case "map":
      return `Readonly<Record<string, ${typeScriptOf(type.item)}>>`;
  }
}

function elementOf(item: SettingType): string {
  return item.kind === "array" ? `(${typeScriptOf(item)})` : typeScriptOf(item);
}
