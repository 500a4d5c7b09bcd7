/** A step into JSON: the name of a field, or the place in a list. */
export type Step = string | number;

/** A file of the user's says what it must not. Told is where, what, and how to mend it. */
export class Slip extends Error {
  override readonly name = "Slip";
  readonly place: Place;
  /** What is wrong, with the path within the file. */
  readonly problem: string;
  readonly mend: string;

  constructor(place: Place, problem: string, mend: string) {
    const { file, line, path } = place;
    const told = path.length === 0 ? problem : `${pathText(path)} ${problem}`;
    super(`${file}${line === undefined ? "" : `:${line}`}: ${told}: ${mend}`);
    this.place = place;
    this.problem = told;
    this.mend = mend;
  }
}

/** Where a value stands. */
export interface Place {
  readonly file: string;
  /** From 1: the line on which the JSON stands, in a file with one on each. */
  readonly line?: number;
  readonly path: readonly Step[];
}

/** Reads a value, or throws a Slip. */
export type Reader<T> = (value: unknown, place: Place) => T;

/** As one writes it in JavaScript: `exchanges["a canary"].request.headers[0]`. */
export function pathText(path: readonly Step[]): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (!/^[A-Za-z_]\w*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join("");
}

export function inside(place: Place, step: Step): Place {
  return { ...place, path: [...place.path, step] };
}

/** What a value is, in a few words. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return JSON.stringify(value);
}

export const text: Reader<string> = (value, place) => {
  if (typeof value === "string") return value;
  throw new Slip(place, `is ${kindOf(value)}, no text`, "write it in quotes");
};

export const anything: Reader<unknown> = (value) => value;

/** A whole number between two, both included. */
export function whole(least: number, most: number): Reader<number> {
  return (value, place) => {
    const isIt = typeof value === "number" && Number.isInteger(value);
    if (isIt && value >= least && value <= most) return value;
    const range = `write a whole number from ${least} to ${most}`;
    throw new Slip(place, `is ${kindOf(value)}`, range);
  };
}

export function listOf<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) {
      throw new Slip(place, `is ${kindOf(value)}, no list`, "write a list in brackets");
    }
    return value.map((each, index) => item(each, inside(place, index)));
  };
}

export function mapOf<T>(item: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, place) => {
    const entries = Object.entries(asObject(value, place));
    return Object.fromEntries(entries.map(([key, each]) => [key, item(each, inside(place, key))]));
  };
}

/** Reads an object of these fields and no others; those in `required` must be there. */
export function objectOf<T extends object>(
  fields: { readonly [Name in keyof T]-?: Reader<Exclude<T[Name], undefined>> },
  required: readonly (keyof T & string)[] = [],
): Reader<T> {
  const names = Object.keys(fields);
  return (value, place) => {
    const object = asObject(value, place);
    const entries = Object.entries(object).map(([name, each]) => {
      const field = inside(place, name);
      if (!Object.hasOwn(fields, name)) {
        throw new Slip(field, "is no field here", `there are ${names.join(", ")}`);
      }
      return [name, (fields[name as keyof T] as Reader<unknown>)(each, field)];
    });
    for (const name of required) {
      if (Object.hasOwn(object, name)) continue;
      throw new Slip(place, `has no ${name}`, `add "${name}"`);
    }
    return Object.fromEntries(entries) as T;
  };
}

/** A file's text as JSON. The parser's own words tell where it is broken. */
export function parseJson(text: string, place: Place): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Slip(place, `is no JSON: ${reason}`, "mend it there");
  }
}

function asObject(value: unknown, place: Place): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new Slip(place, `is ${kindOf(value)}, no object`, "write an object in braces");
}
