// Node's WebAssembly, as far as a host needs it. Its types belong to the DOM's, which a program
// for Node leaves out.

export interface Memory {
  readonly buffer: ArrayBuffer;
}

export interface Module {
  readonly [Symbol.toStringTag]: string;
}

export interface Instance {
  readonly exports: Record<string, unknown>;
}

export type Imports = Record<string, Record<string, (...words: never[]) => unknown>>;

export interface MutableGlobal<T = unknown> {
  value: T;
}

interface Descriptor {
  readonly name: string;
  readonly kind: string;
}

interface WebAssemblyGlobal {
  readonly Module: {
    new (bytes: Uint8Array): Module;
    exports(module: Module): Descriptor[];
    imports(module: Module): (Descriptor & { readonly module: string })[];
    customSections(module: Module, name: string): ArrayBuffer[];
  };
  readonly Instance: new (module: Module, imports: Imports) => Instance;
  validate(bytes: Uint8Array): boolean;
}

/** The memory that a plugin must export. */
export const memoryOf = ({ exports: { memory } }: Instance): Memory => memory as Memory;

export const { Module, Instance, validate } = (
  globalThis as unknown as { WebAssembly: WebAssemblyGlobal }
).WebAssembly;
