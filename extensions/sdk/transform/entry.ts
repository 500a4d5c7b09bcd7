import { READ } from "./config-decoder.ts";
import { entriesOf, type FilterClass, isBackground } from "./filters.ts";
import { RESET } from "./reuse.ts";
import type { PluginClass, PluginClasses } from "./syntax.ts";

/** One plugin of the module: a filter, a Background, or one of each. */
interface Part {
  readonly rootId: string;
  readonly filter: FilterClass | undefined;
  readonly background: FilterClass | undefined;
}

/** The file that makes a module out of the plugin's classes: what it registers and exports. */
export function entryOf(
  classes: PluginClasses,
  filters: readonly FilterClass[],
  reusable: ReadonlySet<FilterClass>,
): string {
  const rootIds = [...new Set(filters.map(({ rootId }) => rootId))];
  const parts = rootIds.map((rootId): Part => {
    const same = filters.filter((each) => each.rootId === rootId);
    return {
      rootId,
      filter: same.find((each) => !isBackground(each)),
      background: same.find(isBackground),
    };
  });
  const isAlone = parts.length === 1;
  const exports = [...entriesOf(classes, filters)].map(([file, names]) => {
    return `export { ${[...names].join(", ")} } from "@weft/sdk/assembly/entry/${file}";`;
  });
  return [
    `import { Background, Bytes, ByteWriter, JsonReader, logError, Plugin, rootId, Stream } from`,
    `  "@weft/sdk/assembly";`,
    ...exports,
    ...parts.map((part, i) => pluginOf(classes, part, i, reusable)),
    `@global function weftCreatePlugin(): Plugin | null {`,
    isAlone ? "return new WeftPlugin0();" : choiceOf(parts),
    `}`,
  ].join("\n");
}

/** A module that has several plugins chooses by root id; with one, any root id is its. */
function choiceOf(parts: readonly Part[]): string {
  const cases = parts.map(({ rootId }, i) => {
    return `if (id.equals(${JSON.stringify(rootId)})) return new WeftPlugin${i}();`;
  });
  const names = parts.map(({ rootId }) => rootId).join(", ");
  const complaint = JSON.stringify(` is no root id of this module; it has ${names}`);
  return `const id = rootId(); ${cases.join(" ")}
    logError(new ByteWriter().text(id).text(${complaint}).finish());
    return null;`;
}

function pluginOf(
  classes: PluginClasses,
  { rootId, filter, background }: Part,
  i: number,
  reusable: ReadonlySet<FilterClass>,
): string {
  const config = background?.config ?? filter?.config ?? null;
  const configClass = config === null ? undefined : classes.get(config);
  const imports = [
    ...(filter === undefined ? [] : [importOf(filter, `WeftFilter${i}`)]),
    ...(background === undefined ? [] : [importOf(background, `WeftBackground${i}`)]),
    ...(configClass === undefined ? [] : [importOf(configClass, `WeftConfig${i}`)]),
  ];
  const generic = configClass === undefined ? "" : `<WeftConfig${i}>`;
  const base = background === undefined ? `Background${generic}` : `WeftBackground${i}`;
  const isShared = filter?.config !== null && filter?.config === config;
  const hasConfig = isShared && configClass !== undefined;
  const isReusable = filter !== undefined && reusable.has(filter);
  return `${imports.join("\n")}
class WeftPlugin${i} extends ${base} {
${configClass === undefined ? "" : configureOf(rootId, i)}
${filter === undefined ? "" : createOf(i, hasConfig, isReusable)}
}`;
}

/** Makes the filter of a stream, out of one that has ended if that may be. */
function createOf(i: number, hasConfig: boolean, isReusable: boolean): string {
  const reuse = `
    const spare = changetype<WeftFilter${i} | null>(this.takeSpare());
    if (spare != null) {
      spare.${RESET}();
      ${hasConfig ? "spare.config = this.config;" : ""}
      return spare;
    }`;
  return `
  createStream(): Stream | null {${isReusable ? reuse : ""}
    const stream = new WeftFilter${i}();
    ${hasConfig ? "stream.config = this.config;" : ""}
    ${isReusable ? "stream.isReusable = true;" : ""}
    return stream;
  }`;
}

/** Reads the configuration; none at all is as good as one without settings. */
function configureOf(rootId: string, i: number): string {
  return `
  configure(bytes: Bytes): bool {
    const json = new JsonReader(bytes.isEmpty ? Bytes.of("{}") : bytes);
    const config = new WeftConfig${i}();
    config.${READ}(json);
    if (!json.finish()) {
      logError(new ByteWriter().text(${JSON.stringify(`${rootId}: `)}).text(json.problem).finish());
      return false;
    }
    this.config = config;
    return this.onConfigure();
  }`;
}

function importOf({ name, source }: PluginClass, as: string): string {
  const path = source.normalizedPath.replace(/\.ts$/, "");
  return `import { ${name} as ${as} } from "./${path}";`;
}
