import type { ConfigClass, Setting, SettingType } from "./config-class.ts";

/** The method that the transform adds to each @config class. */
export const READ = "weftRead";

/** As which the reader is imported into the files of @config classes. */
export const READER = "WeftJsonReader";

/** AssemblyScript that reads an object into `this`. It never traps; the reader keeps the problem. */
export function decoderOf({ settings, hasCheck }: ConfigClass): string {
  const known = settings.map(({ name }) => name);
  const names = known.length > 0 ? `there are ${listed(known)}` : "there are none";
  const cases = settings.map((setting, i) => memberOf(setting, i)).join("\n      else ");
  const otherwise = `json.refuse(${JSON.stringify(`is no setting; ${names}`)});`;
  const required = settings.flatMap(({ name, isRequired }, i) =>
    isRequired ? [`json.require((seen & ${bitOf(i)}) != 0, ${JSON.stringify(name)});`] : [],
  );
  return `
  ${READ}(json: ${READER}): void {
    let seen: u64 = 0;
    json.openObject();
    while (json.nextMember()) {
      ${cases}${cases === "" ? "" : "\n      else "}${otherwise}
    }
    ${required.join("\n    ")}
    ${hasCheck ? "if (json.problem.length == 0) this.check(json);" : ""}
  }`;
}

function memberOf(setting: Setting, index: number): string {
  const { name, type, isNullable } = setting;
  const target = `this.${name}`;
  const read = readInto(target, type, setting, 0);
  const body = isNullable ? `if (json.skipNull()) ${target} = null; else { ${read} }` : read;
  return `if (json.name.equals(${JSON.stringify(name)})) {
        if ((seen & ${bitOf(index)}) != 0) json.refuse("is given twice");
        seen |= ${bitOf(index)};
        ${body}
      }`;
}

function bitOf(index: number): string {
  return `(1 << <u64>${index})`;
}

type Bounds = Pick<Setting, "min" | "max">;

const UNBOUNDED: Bounds = { min: null, max: null };

/** Statements that read a value and assign it to `target`, which may be a new `const`. */
function readInto(target: string, type: SettingType, bounds: Bounds, depth: number): string {
  const value = `value${depth}`;
  switch (type.kind) {
    case "array":
      return `const ${value} = new ${type.written}(); json.openArray();
        while (json.nextItem()) { 
          ${readInto(`const item${depth}`, type.item, UNBOUNDED, depth + 1)}
          ${value}.push(item${depth});
        }
        ${lengthCheck(`${value}.length`, "items", bounds)} ${target} = ${value};`;
    case "map":
      return `const ${value} = new ${type.written}(); json.openObject();
        while (json.nextMember()) {
          const key${depth} = json.name.toString();
          if (${value}.has(key${depth})) json.refuse("is given twice");
          ${readInto(`const item${depth}`, type.item, UNBOUNDED, depth + 1)}
          ${value}.set(key${depth}, item${depth});
        }
        ${lengthCheck(`${value}.size`, "members", bounds)} ${target} = ${value};`;
    case "class":
      return `const ${value} = new ${type.name}(); ${value}.${READ}(json); ${target} = ${value};`;
    case "itself":
      return `const ${value} = new ${type.name}(); ${value}.read(json); ${target} = ${value};`;
    case "string":
      return `const ${value} = json.readString();
        ${lengthCheck(`${value}.length`, "bytes", bounds)} ${target} = ${value}.toString();`;
    case "bytes":
      return `const ${value} = json.readString();
        ${lengthCheck(`${value}.length`, "bytes", bounds)} ${target} = ${value};`;
    case "bool":
    case "integer":
    case "number":
      return `${target} = ${scalar(type, bounds)};`;
  }
}

function scalar(type: SettingType, { min, max }: Bounds): string {
  switch (type.kind) {
    case "bool":
      return "json.readBool()";
    case "integer":
      return `<${type.name}>json.readInteger(${min ?? type.least}, ${max ?? type.most})`;
    case "number": {
      const least = min === null ? "-f64.MAX_VALUE" : `<f64>${min}`;
      const most = max === null ? "f64.MAX_VALUE" : `<f64>${max}`;
      return `<${type.name}>json.readNumber(${least}, ${most})`;
    }
    case "string":
    case "bytes":
    case "class":
    case "itself":
    case "array":
    case "map":
      throw new Error(`${type.kind} is no scalar`);
  }
}

function lengthCheck(length: string, unit: string, { min, max }: Bounds): string {
  if (min === null && max === null) return "";
  return `json.checkLength(${length}, ${min ?? 0}, ${max ?? "i32.MAX_VALUE"}, "${unit}");`;
}

/** "a, b and c". */
function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${last}` : last;
}
