/** Columns of a line. */
const COLUMNS_MAX = 100;

/** JSON as formatters leave it: what fits on a line stands on one. */
export function printJson(value: unknown, indent = "", label = ""): string {
  const line = inOneLine(value);
  // A comma may follow.
  if (indent.length + label.length + line.length < COLUMNS_MAX) return indent + label + line;
  if (typeof value !== "object" || value === null) return indent + label + line;
  const isList = Array.isArray(value);
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  const items = Object.entries(value).map(([name, item]) => {
    return printJson(item, `${indent}  `, isList ? "" : `${JSON.stringify(name)}: `);
  });
  return `${indent}${label}${open}\n${items.join(",\n")}\n${indent}${close}`;
}

function inOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, item]) => {
    return `${JSON.stringify(name)}: ${inOneLine(item)}`;
  });
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
