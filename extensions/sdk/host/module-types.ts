// The types of what a module imports and exports, which JavaScript's own reflection leaves out.

/** Types are written like "i32 i64 -> i32". */
export interface ModuleTypes {
  readonly imports: readonly { module: string; name: string; kind: Kind; type: string }[];
  readonly exports: ReadonlyMap<string, { readonly kind: Kind; readonly type: string }>;
  /** Pages of 64 KiB it begins with. */
  readonly memoryPages: number;
}

const KINDS = ["function", "table", "memory", "global", "tag"] as const;
type Kind = (typeof KINDS)[number];

const VALUES: Readonly<Record<number, string>> = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
  112: "funcref",
  111: "externref",
};

const HEADER_BYTES = 8;
const [TYPES, IMPORTS, FUNCTIONS, MEMORIES, EXPORTS] = [1, 2, 3, 5, 7] as const;

/** Reads the types of a module that WebAssembly has compiled, and that is well formed therefore. */
export function moduleTypes(wasm: Uint8Array): ModuleTypes {
  const types: string[] = [];
  const functions: string[] = [];
  const imports: { module: string; name: string; kind: Kind; type: string }[] = [];
  const exports = new Map<string, { kind: Kind; type: string }>();
  let memoryPages = 0;
  let at = HEADER_BYTES;
  const byte = () => wasm[at++] ?? 0;
  const u32 = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const next = byte();
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80) return value;
    }
  };
  const name = () => {
    const length = u32();
    at += length;
    return Buffer.from(wasm.subarray(at - length, at)).toString();
  };
  const times = (act: () => void) => {
    for (let left = u32(); left > 0; left--) act();
  };
  const values = () => {
    const all: string[] = [];
    times(() => all.push(VALUES[byte()] ?? "?"));
    return all;
  };
  const limits = () => {
    const hasMaximum = byte() % 2 === 1;
    const minimum = u32();
    if (hasMaximum) u32();
    return minimum;
  };
  const kind = () => KINDS[byte()] ?? "tag";
  const sections: Record<number, () => void> = {
    [TYPES]: () =>
      times(() => {
        byte();
        types.push([...values(), "->", ...values()].join(" "));
      }),
    [IMPORTS]: () =>
      times(() => {
        const item = { module: name(), name: name(), kind: kind(), type: "" };
        if (item.kind === "function") {
          item.type = types[u32()] ?? "";
          functions.push(item.type);
        } else if (item.kind === "memory") memoryPages = limits();
        else if (item.kind === "table") {
          byte();
          limits();
        } else {
          byte();
          u32();
        }
        imports.push(item);
      }),
    [FUNCTIONS]: () => times(() => functions.push(types[u32()] ?? "")),
    [MEMORIES]: () =>
      times(() => {
        memoryPages = limits();
      }),
    [EXPORTS]: () =>
      times(() => {
        const [named, what, index] = [name(), kind(), u32()];
        exports.set(named, {
          kind: what,
          type: what === "function" ? (functions[index] ?? "") : "",
        });
      }),
  };
  while (at < wasm.byteLength) {
    const id = byte();
    const end = u32() + at;
    sections[id]?.();
    at = end;
  }
  return { imports, exports, memoryPages };
}
