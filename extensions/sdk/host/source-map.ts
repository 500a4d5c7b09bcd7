// Source maps of WebAssembly modules: one line, whose columns are bytes into the module.

interface SourceMap {
  readonly sources: readonly string[];
  readonly mappings: string;
}

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

/** Where in the sources the code comes from that begins at a byte of the module. */
export interface SourcePlace {
  readonly offset: number;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 0. */
  readonly column: number;
}

/** All places that a source map tells, in the order of the code. */
export function readPlaces(json: string): SourcePlace[] {
  const { sources, mappings } = JSON.parse(json) as SourceMap;
  const places: SourcePlace[] = [];
  let [offset, source, line, column] = [0, 0, 0, 0];
  for (const segment of mappings.split(";")[0]?.split(",") ?? []) {
    const [offsetBy = 0, sourceBy, lineBy = 0, columnBy = 0] = decode(segment);
    offset += offsetBy;
    if (sourceBy === undefined) continue;
    [source, line, column] = [source + sourceBy, line + lineBy, column + columnBy];
    places.push({ offset, file: sources[source] ?? "", line: line + 1, column });
  }
  return places;
}

/** The place in the sources of a byte of the module, as "file:line:column"; null if none is told. */
export function findSource(json: string, offset: number): string | null {
  const place = readPlaces(json).findLast((each) => each.offset <= offset);
  return place === undefined ? null : `${place.file}:${place.line}:${place.column + 1}`;
}
