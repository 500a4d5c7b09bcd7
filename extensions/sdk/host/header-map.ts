/** A header: name and value. */
export type Header = readonly [name: string, value: string];

/** The headers of one message, in order. Names are kept in lower case, as Envoy keeps them. */
export interface HeaderMap {
  first(name: string): string | undefined;
  add(name: string, value: string): void;
  /** Leaves this one value, at the place of the first. */
  replace(name: string, value: string): void;
  remove(name: string): void;
  entries(): Header[];
}

export function headerMap(headers: readonly Header[]): HeaderMap {
  let all: Header[] = headers.map(([name, value]) => [name.toLowerCase(), value]);
  const without = (name: string) => all.filter(([other]) => other !== name.toLowerCase());
  return {
    first: (name) => all.find(([other]) => other === name.toLowerCase())?.[1],
    add: (name, value) => {
      all.push([name.toLowerCase(), value]);
    },
    replace: (name, value) => {
      const at = all.findIndex(([other]) => other === name.toLowerCase());
      const header: Header = [name.toLowerCase(), value];
      all = at < 0 ? [...all, header] : [...all.slice(0, at), header, ...without(name).slice(at)];
    },
    remove: (name) => {
      all = without(name);
    },
    entries: () => [...all],
  };
}

/** Headers as the ABI serializes them: count, lengths, then names and values, each with a zero. */
export function encodePairs(headers: readonly Header[]): Uint8Array {
  if (headers.length === 0) return new Uint8Array();
  const parts = headers.flat().map((part) => Buffer.from(part));
  const head = Buffer.alloc(4 + 4 * parts.length);
  head.writeUInt32LE(headers.length);
  for (const [i, part] of parts.entries()) head.writeUInt32LE(part.length, 4 + 4 * i);
  return Buffer.concat([head, ...parts.flatMap((part) => [part, Buffer.of(0)])]);
}
