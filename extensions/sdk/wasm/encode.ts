// Writing the binary format.

/** An unsigned number. */
export function u32Bytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return [...bytes, rest];
}

/** A signed number, of at most 64 bits. */
export function signedBytes(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest < -64n || rest > 63n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) + 0x80);
  return [...bytes, Number(rest & 0x7fn)];
}

export function nameBytes(name: string): number[] {
  const text = new TextEncoder().encode(name);
  return [...u32Bytes(text.byteLength), ...text];
}
