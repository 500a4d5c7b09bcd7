/** A header: name and value. */
export type Header = readonly [name: string, value: string];

/** The headers of one message, in order. Names are kept in lower case, as Envoy keeps them. */
export class HeaderMap {
  #all: Header[];

  constructor(headers: readonly Header[]) {
    this.#all = headers.map(lower);
  }

  get size(): number {
    return this.#all.length;
  }

  /** Of all names and values. */
  get bytes(): number {
    return this.#all.reduce((sum, header) => sum + bytesOf(header), 0);
  }

  first(name: string): string | undefined {
    const wanted = name.toLowerCase();
    return this.#all.find(([other]) => other === wanted)?.[1];
  }

  add(name: string, value: string): void {
    this.#all.push([name.toLowerCase(), value]);
  }

  /** Leaves this one value, at the place of the first. */
  replace(name: string, value: string): void {
    const header = lower([name, value]);
    const first = this.#all.findIndex(([other]) => other === header[0]);
    if (first < 0) this.#all.push(header);
    else {
      this.#all = this.#all.filter(([other], i) => i === first || other !== header[0]);
      this.#all[first] = header;
    }
  }

  remove(name: string): void {
    const unwanted = name.toLowerCase();
    this.#all = this.#all.filter(([other]) => other !== unwanted);
  }

  /** Leaves these headers and no others. */
  set(headers: readonly Header[]): void {
    this.#all = headers.map(lower);
  }

  /** As they are now: a copy. */
  entries(): Header[] {
    return this.#all.slice();
  }
}

const lower = ([name, value]: Header): Header => [name.toLowerCase(), value];

const bytesOf = ([name, value]: Header): number =>
  Buffer.byteLength(name) + Buffer.byteLength(value);
