import fc, { type Arbitrary } from "fast-check";

/** A JSON Schema, as far as the SDK's builds write them and authors of plugins are likely to. */
interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Items of a list and fields of a map, where the schema does not say. */
const ITEMS_MAX = 4;

/** Length of a text likewise. */
const LENGTH_MAX = 40;

/** How deep schemas that hold themselves are followed. */
const DEPTH_MAX = 5;

/** Values that a schema accepts, or would if it told all; texts are often some of `words`. */
export function arbitraryOf(schema: unknown, words: readonly string[]): Arbitrary<unknown> {
  const root = schema as Schema;
  const context: Context = { definitions: root.$defs ?? {}, words };
  return ofSchema(root, context, 0);
}

interface Context {
  readonly definitions: Readonly<Record<string, Schema>>;
  readonly words: readonly string[];
}

function ofSchema(schema: Schema, context: Context, depth: number): Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    const target = context.definitions[schema.$ref.replace("#/$defs/", "")];
    return target === undefined || depth > DEPTH_MAX
      ? fc.constant(null)
      : ofSchema({ ...target, ...without$ref(schema) }, context, depth + 1);
  }
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined && schema.enum.length > 0) return fc.constantFrom(...schema.enum);
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined && either.length > 0) {
    return fc.oneof(...either.map((each) => ofSchema(each, context, depth + 1)));
  }
  const [type] = [schema.type ?? typeByFields(schema)].flat();
  switch (type) {
    case "object":
      return ofObject(schema, context, depth + 1);
    case "array":
      return fc.array(ofSchema(schema.items ?? {}, context, depth + 1), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.max(
          schema.minItems ?? 0,
          Math.min(schema.maxItems ?? ITEMS_MAX, ITEMS_MAX),
        ),
      });
    case "string":
      return ofText(schema, context.words);
    case "integer":
      return ofInteger(schema);
    case "number":
      return fc.double({
        min: schema.minimum ?? -1e9,
        max: schema.maximum ?? 1e9,
        noNaN: true,
      });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function without$ref({ $ref: _, ...rest }: Schema): Schema {
  return rest;
}

function typeByFields({ properties, items }: Schema): string | undefined {
  if (properties !== undefined) return "object";
  return items === undefined ? undefined : "array";
}

function ofObject(schema: Schema, context: Context, depth: number): Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties = true } = schema;
  const entries = Object.entries(properties);
  const known = fc.record(
    Object.fromEntries(entries.map(([name, each]) => [name, ofSchema(each, context, depth)])),
    { requiredKeys: required.filter((name) => Object.hasOwn(properties, name)) },
  );
  if (typeof additionalProperties === "boolean") return known;
  const least = Math.max(0, schema.minProperties ?? 0);
  const more = fc.dictionary(
    ofName(context.words),
    ofSchema(additionalProperties, context, depth),
    {
      minKeys: least,
      maxKeys: Math.max(least, Math.min(schema.maxProperties ?? ITEMS_MAX, ITEMS_MAX)),
    },
  );
  return fc.tuple(known, more).map(([own, others]) => ({ ...others, ...own }));
}

/** Names of fields: those of prototypes are no names for tests of JavaScript. */
function ofName(words: readonly string[]): Arbitrary<string> {
  const plain = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
  const all = words.length === 0 ? plain : fc.oneof(plain, fc.constantFrom(...words));
  return all.filter((name) => name !== "__proto__");
}

function ofText({ minLength = 0, maxLength, pattern }: Schema, words: readonly string[]) {
  const most = Math.max(minLength, Math.min(maxLength ?? LENGTH_MAX, LENGTH_MAX));
  const any = fc.string({ minLength, maxLength: most, unit: "binary" });
  const fitting = words.filter(({ length }) => length >= minLength && length <= most);
  const texts: Arbitrary<string>[] = [any];
  if (fitting.length > 0) texts.push(fc.constantFrom(...fitting));
  const matching = pattern === undefined ? null : ofPattern(pattern);
  return matching === null ? fc.oneof(...texts) : matching;
}

/** Null for a pattern that cannot be turned around. */
function ofPattern(pattern: string): Arbitrary<string> | null {
  try {
    return fc.stringMatching(new RegExp(pattern, "u"), { size: "small" });
  } catch {
    return null; // Then texts of any kind are tried: the plugin refuses those that do not match.
  }
}

/** Where the numbers of most languages end. */
const INTEGER_MAX = 2 ** 31;

/** Bounds are where mistakes are. */
function ofInteger({ minimum = -INTEGER_MAX, maximum = INTEGER_MAX }: Schema): Arbitrary<number> {
  const [least, most] = [
    Math.max(minimum, Number.MIN_SAFE_INTEGER),
    Math.min(maximum, Number.MAX_SAFE_INTEGER),
  ];
  const small = fc.integer({
    min: Math.max(least, Math.min(most, -100)),
    max: Math.max(least, Math.min(most, 100)),
  });
  return fc.oneof(
    small,
    fc.constantFrom(least, most),
    fc.maxSafeInteger().map((n) => Math.min(most, Math.max(least, n))),
  );
}

/** What is done to a value so that a schema just no longer accepts it, or hardly does. */
type Damage = (value: unknown, random: number) => unknown;

const DAMAGES: readonly Damage[] = [
  () => null,
  () => "",
  () => [],
  () => ({}),
  () => -1,
  () => 2 ** 53,
  () => 1e308,
  () => 0.5,
  (value) => [value],
  (value) => ({ value }),
  (value) => JSON.stringify(value),
  (value) => (isObject(value) ? { ...value, unknown: 1 } : value),
  (value, random) => {
    if (!isObject(value)) return value;
    const entries = Object.entries(value);
    return Object.fromEntries(entries.filter((_, index) => index !== random % entries.length));
  },
];

/** Values with one mistake in them, somewhere. */
export function nearly(values: Arbitrary<unknown>): Arbitrary<unknown> {
  return fc
    .tuple(values, fc.constantFrom(...DAMAGES), fc.nat())
    .map(([value, damage, random]) => damageAt(value, damage, random));
}

function damageAt(value: unknown, damage: Damage, random: number): unknown {
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const chosen = random % (entries.length + 1);
  const entry = entries[chosen];
  if (entry === undefined) return damage(value, random);
  const [name] = entry;
  const rest = Math.floor(random / (entries.length + 1));
  const next = entries.map(([other, item]) => {
    return [other, other === name ? damageAt(item, damage, rest) : item] as const;
  });
  return Array.isArray(value) ? next.map(([, item]) => item) : Object.fromEntries(next);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
