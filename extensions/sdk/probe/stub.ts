import { Instance, type Memory, Module } from "../host/webassembly.ts";

/** A hostcall as a test scripts it: from numbers to a status of the ABI. */
export type Answer = (...words: number[]) => number;

/** A host that does nothing but what a test scripts, and writes down what is asked of it. */
export interface Stub {
  /** Each hostcall with what it passed: texts where they are told below, else numbers. */
  readonly calls: string[];
  /** Calls an export. */
  call(name: string, ...words: number[]): number;
  readonly exports: readonly string[];
  text(address: number, length: number): string;
  /** Hands bytes over, in memory of the plugin's, as an answer. */
  give(content: Uint8Array | string, addressOut: number, lengthOut: number): number;
  writeU32(address: number, value: number): void;
  readonly pages: number;
}

/** The parameters that are an address with a length behind it, of the calls that tests look at. */
const TEXTS: Record<string, readonly number[]> = {
  proxy_log: [1],
  proxy_set_buffer_bytes: [3],
  proxy_add_header_map_value: [1, 3],
  proxy_send_local_response: [1, 3, 5],
  proxy_http_call: [0, 2, 4, 6],
  proxy_grpc_call: [0, 2, 4, 6, 8],
  proxy_grpc_stream: [0, 2, 4, 6],
  proxy_grpc_send: [1],
  proxy_define_metric: [1],
  proxy_set_property: [0, 2],
  proxy_get_property: [0],
  proxy_call_foreign_function: [0, 2],
  proxy_set_shared_data: [0, 2],
  proxy_get_shared_data: [0],
  proxy_register_shared_queue: [0],
  proxy_resolve_shared_queue: [0, 2],
  proxy_enqueue_shared_queue: [1],
};

const PAGE_BYTES = 65_536;

export function createStub(
  wasm: Uint8Array,
  answers: (stub: Stub) => Record<string, Answer>,
): Stub {
  const module = new Module(wasm);
  const calls: string[] = [];
  const stub: Stub = {
    calls,
    call: (name, ...words) => (instance.exports[name] as Answer)(...words),
    exports: Module.exports(module).map(({ name }) => name),
    text: (address, length) => Buffer.from(bytes(address, length)).toString(),
    give: (content, addressOut, lengthOut) => {
      const from = Buffer.from(content);
      const address = from.byteLength === 0 ? 0 : stub.call("malloc", from.byteLength);
      bytes(address, from.byteLength).set(from);
      stub.writeU32(addressOut, address);
      stub.writeU32(lengthOut, from.byteLength);
      return 0;
    },
    writeU32: (address, value) => view().setUint32(address, value, true),
    get pages() {
      return memory().byteLength / PAGE_BYTES;
    },
  };
  const memory = () => (instance.exports["memory"] as Memory).buffer;
  const view = () => new DataView(memory());
  const bytes = (address: number, length: number) => new Uint8Array(memory(), address, length);
  const scripted = answers(stub);
  const imports = Module.imports(module).map(({ name }) => {
    const answer = (...words: number[]) => {
      calls.push(toldOf(stub, name, words));
      return scripted[name]?.(...words) ?? 0;
    };
    return [name, answer];
  });
  const functions = Object.fromEntries(imports);
  const instance = new Instance(module, { env: functions, wasi_snapshot_preview1: functions });
  stub.call("_initialize");
  return stub;
}

function toldOf(stub: Stub, name: string, words: readonly number[]): string {
  const texts = TEXTS[name] ?? [];
  const told = words.flatMap((word, i) => {
    if (texts.includes(i)) return [JSON.stringify(stub.text(word, words[i + 1] ?? 0))];
    return texts.includes(i - 1) ? [] : [String(word)];
  });
  return `${name.replace(/^proxy_/, "")}(${told.join(", ")})`;
}
