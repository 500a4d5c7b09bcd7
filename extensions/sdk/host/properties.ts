import { encodePairs } from "./pairs.ts";

/**
 * A property's value: text, bytes (of a message too), a number (double), a bigint (int, uint,
 * duration and timestamp in ns), a boolean, a list, or a map whose fields paths step into.
 */
export type Property =
  | string
  | Uint8Array
  | number
  | bigint
  | boolean
  | readonly Property[]
  | { readonly [name: string]: Property };

export type Properties = { readonly [name: string]: Property };

/** The segments of a path, which zeros join; one more zero at the end is tolerated. */
export function splitPath(path: string): string[] {
  return path.replace(/\0$/, "").split("\0");
}

/** Steps from map to field and from list to item. */
export function findProperty(
  root: Property | undefined,
  segments: readonly string[],
): Property | undefined {
  let value = root;
  for (const segment of segments) {
    if (typeof value !== "object" || value instanceof Uint8Array) return undefined;
    value = Object.hasOwn(value, segment) ? (value as Properties)[segment] : undefined;
  }
  return value;
}

/** The bytes of a value. They carry no type: a reader must know it. */
export function encodeProperty(value: Property): Uint8Array {
  if (typeof value === "string") return Buffer.from(value);
  if (value instanceof Uint8Array) return value;
  if (typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
  if (typeof value === "number") return new Uint8Array(Float64Array.of(value).buffer);
  if (typeof value === "bigint") return new Uint8Array(BigInt64Array.of(value).buffer);
  if (Array.isArray(value)) {
    return encodePairs(value.map((item) => [encodeProperty(item), new Uint8Array()]));
  }
  return encodePairs(
    Object.entries(value).map(([name, item]) => [Buffer.from(name), encodeProperty(item)]),
  );
}
