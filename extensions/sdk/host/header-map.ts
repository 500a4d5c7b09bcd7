/** A header: name and value. */
export type Header = readonly [name: string, value: string];

/** The headers of one message, in order. Names are kept in lower case, as Envoy keeps them. */
export interface HeaderMap {
  first(name: string): string | undefined;
  add(name: string, value: string): void;
  /** Leaves this one value, at the place of the first. */
  replace(name: string, value: string): void;
  remove(name: string): void;
  /** Leaves these headers and no others. */
  set(headers: readonly Header[]): void;
  entries(): Header[];
  /** Bytes of all names and values. */
  readonly bytes: number;
}

export function headerMap(headers: readonly Header[]): HeaderMap {
  const lower = (all: readonly Header[]): Header[] =>
    all.map(([name, value]) => [name.toLowerCase(), value]);
  let all = lower(headers);
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
    set: (next) => {
      all = lower(next);
    },
    entries: () => [...all],
    get bytes() {
      return all.flat().reduce((sum, part) => sum + Buffer.byteLength(part), 0);
    },
  };
}
