// Source maps of WebAssembly modules: one line, whose columns are bytes into the module.

/** The sources of a module, and which place in them each part of its code comes from. */
export interface SourceMap {
  readonly sources: readonly Source[];
  /** In the order of the module's bytes: each holds up to the next one. */
  readonly places: readonly Place[];
}

export interface Source {
  /** As "assembly/index.ts"; of libraries it begins with "~lib/". */
  readonly path: string;
  /** Null where the map does not hold it. */
  readonly text: string | null;
}

export interface Place {
  /** Bytes into the module. */
  readonly offset: number;
  /** The number of the source; null for code that no source tells of. */
  readonly source: number | null;
  /** From 0, as source maps count. */
  readonly line: number;
  readonly column: number;
}

/** What the paths of libraries begin with, and the names of their functions. */
export const LIBRARY = "~lib/";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CONTINUES = 32;

/** The numbers of a segment, as base64 VLQ writes them: five bits a digit, the sign lowest. */
function decode(segment: string): number[] {
  const numbers: number[] = [];
  let [value, scale] = [0, 1];
  for (const letter of segment) {
    const digit = DIGITS.indexOf(letter);
    value += (digit % CONTINUES) * scale;
    scale *= CONTINUES;
    if (digit >= CONTINUES) continue;
    numbers.push(value % 2 === 1 ? -(value - 1) / 2 : value / 2);
    [value, scale] = [0, 1];
  }
  return numbers;
}

export function readSourceMap(json: string): SourceMap {
  const {
    sources,
    sourcesContent = [],
    mappings,
  } = JSON.parse(json) as {
    readonly sources: readonly string[];
    readonly sourcesContent?: readonly (string | null)[];
    readonly mappings: string;
  };
  let [at, file, line, column] = [0, 0, 0, 0];
  const places = (mappings.split(";")[0]?.split(",") ?? []).map((segment): Place => {
    const [offsetBy = 0, fileBy, lineBy = 0, columnBy = 0] = decode(segment);
    at += offsetBy;
    if (fileBy === undefined) return { offset: at, source: null, line: 0, column: 0 };
    [file, line, column] = [file + fileBy, line + lineBy, column + columnBy];
    return { offset: at, source: file, line, column };
  });
  return {
    sources: sources.map((path, i) => ({ path, text: sourcesContent[i] ?? null })),
    places,
  };
}

/** The function that a byte of the module lies in. */
export interface Around {
  /** Where its code begins. */
  readonly start: number;
  /** Whether it is the plugin's own, and of no library. */
  readonly isOwn: boolean;
}

/**
 * The place in the sources of a byte of the module, as "file:line:column"; null if none is told.
 * Calls have no place of their own: theirs is that of the code before them in the function. Of what
 * was inlined from a library into a plugin's function, it is the plugin's line that led there.
 */
export function findSource(json: string, offset: number, around: Around | null): string | null {
  const { sources, places } = readSourceMap(json);
  const before = places.filter((each) => each.offset <= offset);
  const pathOf = ({ source }: Place) => (source === null ? null : sources[source]?.path);
  const inside = before.filter((each) => around !== null && each.offset >= around.start);
  const told = inside.filter((each) => each.source !== null);
  const own = told.findLast((each) => around?.isOwn && !pathOf(each)?.startsWith(LIBRARY));
  const place = own ?? told.at(-1) ?? before.at(-1);
  if (place === undefined || place.source === null) return null;
  return `${pathOf(place)}:${place.line + 1}:${place.column + 1}`;
}
