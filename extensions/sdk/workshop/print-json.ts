/** Columns of a line. */
const COLUMNS_MAX = 100;

/** Where a value stands in the text. */
interface Place {
  readonly indent: string;
  /** What stands before it on its line: the name of a field. */
  readonly label: string;
  /** What stands behind it. */
  readonly comma: "," | "";
}

/** JSON as formatters leave it: what fits on a line stands on one. */
export function printJson(value: unknown): string {
  return print(value, { indent: "", label: "", comma: "" });
}

function print(value: unknown, { indent, label, comma }: Place): string {
  const line = `${indent}${label}${inOneLine(value)}${comma}`;
  if (line.length <= COLUMNS_MAX || typeof value !== "object" || value === null) return line;
  const isList = Array.isArray(value);
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  const entries = Object.entries(value);
  const items = entries.map(([name, item], i) => {
    return print(item, {
      indent: `${indent}  `,
      label: isList ? "" : `${JSON.stringify(name)}: `,
      comma: i < entries.length - 1 ? "," : "",
    });
  });
  return `${indent}${label}${open}\n${items.join("\n")}\n${indent}${close}${comma}`;
}

function inOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, item]) => {
    return `${JSON.stringify(name)}: ${inOneLine(item)}`;
  });
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
