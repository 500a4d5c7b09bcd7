import {
  CallExpression,
  ClassDeclaration,
  type FieldDeclaration,
  IdentifierExpression,
  type Parser,
  type Source,
} from "assemblyscript";
import { type ConfigClass, configClassesOf } from "./config-class.ts";
import { decoderOf, READER } from "./config-decoder.ts";
import { emptySchema, schemaOf, typesOf } from "./config-schema.ts";
import { addContinuations } from "./continuations.ts";
import { entryOf } from "./entry.ts";
import { type FilterClass, filtersOf, isBackground } from "./filters.ts";
import { complainOfForeigners } from "./foreigners.ts";
import { createLiterals, type Literals } from "./literals.ts";
import { addReset } from "./reuse.ts";
import {
  classesOf,
  complain,
  decoratorOf,
  dropDecorators,
  exportIt,
  type PluginClasses,
  parseStatements,
  rewrite,
  textOf,
} from "./syntax.ts";

/** What the transform learns of a plugin, for what is built beside the module. */
export interface PluginFacts {
  /** The root ids, each with the schema of its configuration. */
  readonly roots: readonly { readonly id: string; readonly schema: Record<string, unknown> }[];
  /** TypeScript of all configurations; "" if there are none. */
  readonly types: string;
  readonly metrics: readonly PluginMetric[];
}

export interface PluginMetric {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly name: string;
  readonly hasLabels: boolean;
}

/** Where the generated entry seems to lie, so that "./assembly/…" leads to the plugin's files. */
const ENTRY_PATH = "weft-plugin.ts";

/** Where the compiler finds the SDK. */
const SDK_PATH = "~lib/@weft/sdk/assembly/";

/** The kinds of source that the compiler tells apart. */
const USER = 0;
const USER_ENTRY = 1;

/**
 * The transform of the compiler that turns classes with @filter and @config into a module. `facts`
 * holds what it learnt, once the compiler has parsed; a plugin without @filter is left as it is.
 */
export function createTransform() {
  let facts: PluginFacts | null = null;
  return {
    get facts() {
      return facts;
    },
    afterParse(parser: Parser): void {
      const own = parser.sources.filter((source) => isOwn(source));
      const continuations = addContinuations(parser, own);
      const classes = classesOf(
        continuations.source === null ? own : [...own, continuations.source],
      );
      const filters = filtersOf(parser, classes);
      if (filters.length === 0) return;
      for (const source of own) complainOfForeigners(parser, source);
      const readable = new Map([...readableOf(parser.sources), ...classes]);
      const configs = configClassesOf(parser, readable);
      for (const filter of filters) checkConfig(parser, filter, configs);
      const readers = new Set<Source>();
      const literals = createLiterals();
      for (const config of configs.values()) addDecoder(parser, literals, config, readers);
      for (const { declaration } of readable.values()) dropDecorators(declaration, ["schema"]);
      const reusable = new Set(
        filters.filter((each) => {
          return !isBackground(each) && addReset(parser, classes, each, continuations.returning);
        }),
      );
      const metrics = own.flatMap(metricsOf);
      for (const source of parser.sources) if (isLowered(source)) literals.lower(source);
      // Only the generated entry exports: what a file exports for the others is not the host's.
      for (const source of own) (source as { sourceKind: number }).sourceKind = USER;
      parser.parseFile(entryOf(classes, filters, reusable), ENTRY_PATH, true);
      const entry = parser.sources.find(({ normalizedPath }) => normalizedPath === ENTRY_PATH);
      if (entry !== undefined) literals.lowerTexts(entry.statements);
      parser.parseFile(literals.declarations(), "weft-literals.ts", true);
      facts = factsOf(filters, configs, metrics);
    },
  };
}

function isOwn({ sourceKind }: Source): boolean {
  return (sourceKind as number) === USER || (sourceKind as number) === USER_ENTRY;
}

/** The SDK's own classes that are read from JSON: settings that several plugins have. */
function readableOf(sources: readonly Source[]): PluginClasses {
  const own = classesOf(sources.filter((source) => source.normalizedPath.startsWith(SDK_PATH)));
  const readable = [...own].filter(([, { declaration }]) => {
    return ["config", "schema"].some((name) => decoratorOf(declaration, name) !== undefined);
  });
  return new Map(readable);
}

/** The SDK's own literals are texts for the host, too; the compiler's library is left alone. */
function isLowered(source: Source): boolean {
  return isOwn(source) || source.normalizedPath.startsWith(SDK_PATH);
}

function checkConfig(
  parser: Parser,
  { config, declaration }: FilterClass,
  configs: ReadonlyMap<string, ConfigClass>,
): void {
  if (config === null || config === "NoConfig" || configs.has(config)) return;
  const range = declaration.extendsType?.range ?? declaration.range;
  complain(parser, range, `${config} is no configuration`, `put @config on the class ${config}`);
}

/** Gives a @config class the method that reads it, and its file the reader, once. */
function addDecoder(
  parser: Parser,
  literals: Literals,
  config: ConfigClass,
  readers: Set<Source>,
): void {
  const { declaration, source } = config.declaredAs;
  const { range } = declaration.name;
  const [decoder] = parseStatements(parser, `class Decoder {${decoderOf(config)}\n}`, range);
  if (decoder !== undefined) literals.lowerTexts([decoder]);
  if (decoder instanceof ClassDeclaration) declaration.members.push(...decoder.members);
  if (!readers.has(source)) {
    const text = `import { JsonReader as ${READER} } from "@weft/sdk/assembly/json-reader";`;
    source.statements.unshift(...parseStatements(parser, text, range));
    readers.add(source);
  }
  dropDecorators(declaration, ["config"]);
  for (const member of declaration.members)
    dropDecorators(member as FieldDeclaration, ["min", "max"]);
  exportIt(declaration);
}

/** The metrics that a source declares by name. */
function metricsOf(source: Source): PluginMetric[] {
  const found: PluginMetric[] = [];
  for (const statement of source.statements) {
    rewrite(statement, (node) => {
      if (!(node instanceof CallExpression && node.expression instanceof IdentifierExpression)) {
        return node;
      }
      const [, kind, labels] =
        /^(counter|gauge|histogram)(With)?$/.exec(node.expression.text) ?? [];
      const name = textOf(node.args[0]);
      if (kind !== undefined && name !== null) {
        const known = kind as PluginMetric["kind"];
        found.push({ kind: known, name, hasLabels: labels !== undefined });
      }
      return node;
    });
  }
  return found;
}

function factsOf(
  filters: readonly FilterClass[],
  configs: ReadonlyMap<string, ConfigClass>,
  metrics: readonly PluginMetric[],
): PluginFacts {
  const configOf = (rootId: string) => {
    const named = filters.filter((each) => each.rootId === rootId).map(({ config }) => config);
    return configs.get(named.find((each) => each !== null) ?? "");
  };
  const ids = [...new Set(filters.map(({ rootId }) => rootId))];
  const used = ids.flatMap((id) => configOf(id) ?? []);
  return {
    roots: ids.map((id) => {
      const config = configOf(id);
      return {
        id,
        schema: config === undefined ? emptySchema(id) : schemaOf(configs, config, id),
      };
    }),
    types: [...new Set(used)].map((config) => typesOf(configs, config)).join("\n"),
    metrics,
  };
}
