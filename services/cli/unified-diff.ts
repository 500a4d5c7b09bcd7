/** Equal lines shown around a difference. */
const CONTEXT_LINES = 3;

/** Edits that are sought before two texts count as wholly different: the search takes its square. */
const EDITS_MAX = 500;

type Sign = " " | "-" | "+";

interface Row {
  readonly sign: Sign;
  readonly text: string;
}

/** The differences of two texts as a unified diff without its file names; empty if there is none. */
export function unifiedDiff(before: string, after: string): string[] {
  const rows = diffLines(linesOf(before), linesOf(after));
  const lines: string[] = [];
  for (const { start, end } of hunksOf(rows)) {
    const count = (...signs: Sign[]): number =>
      rows.slice(start, end).filter(({ sign }) => signs.includes(sign)).length;
    const first = (...signs: Sign[]): number =>
      rows.slice(0, start).filter(({ sign }) => signs.includes(sign)).length + 1;
    const range = (sign: "-" | "+"): string => {
      const length = count(" ", sign);
      return `${sign}${length === 0 ? first(" ", sign) - 1 : first(" ", sign)},${length}`;
    };
    lines.push(`@@ ${range("-")} ${range("+")} @@`);
    for (const { sign, text } of rows.slice(start, end)) lines.push(sign + text);
  }
  return lines;
}

function linesOf(text: string): string[] {
  if (text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

/** The fewest deletions and insertions that make the one from the other (Myers, 1986). */
export function diffLines(before: readonly string[], after: readonly string[]): Row[] {
  const trace = search(before, after);
  if (trace === undefined) {
    return [...before.map((text) => row("-", text)), ...after.map((text) => row("+", text))];
  }
  const rows: Row[] = [];
  let [x, y] = [before.length, after.length];
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const reached = trace[edits] as ReadonlyMap<number, number>;
    const down = isDown(reached, x - y, edits);
    const previous = down ? x - y + 1 : x - y - 1;
    const fromX = edits === 0 ? 0 : (reached.get(previous) ?? 0);
    const fromY = edits === 0 ? 0 : fromX - previous;
    const [runX, runY] = edits === 0 ? [0, 0] : down ? [fromX, fromY + 1] : [fromX + 1, fromY];
    while (x > runX && y > runY) {
      rows.push(row(" ", before[--x] as string));
      y--;
    }
    if (edits === 0) break;
    rows.push(down ? row("+", after[--y] as string) : row("-", before[--x] as string));
  }
  return rows.reverse();
}

/** For each number of edits, how far each diagonal was reached before it; undefined if too many. */
function search(
  before: readonly string[],
  after: readonly string[],
): ReadonlyMap<number, number>[] | undefined {
  const reached = new Map<number, number>();
  const trace: ReadonlyMap<number, number>[] = [];
  for (let edits = 0; edits <= Math.min(before.length + after.length, EDITS_MAX); edits++) {
    trace.push(new Map(reached));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = 0;
      if (edits > 0) {
        x = isDown(reached, diagonal, edits)
          ? (reached.get(diagonal + 1) ?? 0)
          : (reached.get(diagonal - 1) ?? 0) + 1;
      }
      let y = x - diagonal;
      while (x < before.length && y < after.length && before[x] === after[y]) {
        x++;
        y++;
      }
      reached.set(diagonal, x);
      if (x >= before.length && y >= after.length) return trace;
    }
  }
  return undefined;
}

/** Whether the last edit on the way to a diagonal was an insertion. */
function isDown(reached: ReadonlyMap<number, number>, diagonal: number, edits: number): boolean {
  if (diagonal === -edits) return true;
  if (diagonal === edits) return false;
  return (reached.get(diagonal - 1) ?? 0) < (reached.get(diagonal + 1) ?? 0);
}

/** The stretches of rows to show: differences with what stands around them. */
function hunksOf(rows: readonly Row[]): { start: number; end: number }[] {
  const hunks: { start: number; end: number }[] = [];
  rows.forEach(({ sign }, index) => {
    if (sign === " ") return;
    const start = Math.max(0, index - CONTEXT_LINES);
    const end = Math.min(rows.length, index + CONTEXT_LINES + 1);
    const last = hunks.at(-1);
    if (last !== undefined && start <= last.end) last.end = end;
    else hunks.push({ start, end });
  });
  return hunks;
}

function row(sign: Sign, text: string): Row {
  return { sign, text };
}
