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

/** The place in the sources of a byte of the module, as "file:line:column"; null if none is told. */
export function findSource(json: string, offset: number): string | null {
  const { sources, mappings } = JSON.parse(json) as SourceMap;
  let found: string | null = null;
  let [at, file, line, column] = [0, 0, 0, 0];
  for (const segment of mappings.split(";")[0]?.split(",") ?? []) {
    const [offsetBy = 0, fileBy, lineBy = 0, columnBy = 0] = decode(segment);
    at += offsetBy;
    if (at > offset) break;
    if (fileBy === undefined) continue;
    [file, line, column] = [file + fileBy, line + lineBy, column + columnBy];
    found = `${sources[file]}:${line + 1}:${column + 1}`;
  }
  return found;
}
