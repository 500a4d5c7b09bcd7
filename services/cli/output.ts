import type { Terminal } from "./terminal.ts";

/** A column of a table: its title, what stands in it, and how it looks. */
export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => string;
  readonly paint?: (terminal: Terminal, row: T, text: string) => string;
  /** Only `-o wide` shows it. */
  readonly wide?: boolean;
}

/** What separates columns. */
const GAP = "  ";

/** Cells longer than this are cut at the end of a line of a terminal only. */
const CELL_COLUMNS_MIN = 8;

/** Writes rows as a table: as wide as its cells, the last column cut to the terminal's edge. */
export function writeTable<T>(
  terminal: Terminal,
  rows: readonly T[],
  columns: readonly Column<T>[],
): void {
  const cells = rows.map((row) => columns.map(({ cell }) => oneLine(cell(row)) || "-"));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((row) => widthOf(row[index] ?? ""))),
  );
  const write = (texts: readonly string[], painted: readonly string[]): void => {
    const line = texts.map((text, index) => {
      const shown = painted[index] ?? text;
      if (index === texts.length - 1) return shown;
      return shown + " ".repeat((widths[index] ?? 0) - widthOf(text));
    });
    terminal.out(`${line.join(GAP).trimEnd()}\n`);
  };
  const titles = columns.map(({ title }) => title);
  write(
    titles,
    titles.map((title) => terminal.paint("bold", title)),
  );
  const room = roomOfLast(terminal, widths);
  rows.forEach((row, rowIndex) => {
    const texts = (cells[rowIndex] ?? []).map((text, index) =>
      index === columns.length - 1 ? cut(text, room) : text,
    );
    const painted = texts.map(
      (text, index) => columns[index]?.paint?.(terminal, row, text) ?? text,
    );
    write(texts, painted);
  });
}

/** Columns that a terminal leaves to the last column of a table. */
function roomOfLast(terminal: Terminal, widths: readonly number[]): number {
  if (terminal.columns === undefined) return Number.POSITIVE_INFINITY;
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  return Math.max(terminal.columns - before, CELL_COLUMNS_MIN);
}

function cut(text: string, room: number): string {
  return widthOf(text) <= room ? text : `${[...text].slice(0, room - 1).join("")}…`;
}

/** A cell holds one line, and nothing that steers a terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}

/** Code points: names in a mesh are ASCII, and reasons in other scripts are off by a little. */
function widthOf(text: string): number {
  return [...text].length;
}

/** How long ago, or until: `45s`, `12m`, `3h`, `9d`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 120 * 60) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** `2026-11-24 11:38:22Z`, the same on every machine. */
export function formatTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** `1 change`, `2 changes`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
