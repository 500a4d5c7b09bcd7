import { performance } from "node:perf_hooks";
import { Instance, type Memory, Module } from "../../../extensions/sdk/host/webassembly.ts";

/** What a request has, by name. Its values stay what they are, whatever the plugin changes. */
const HEADERS = {
  ":path": "/api/v1/orders?page=2",
  "x-user": "ann@example.test",
  cookie: "session=0123456789abcdef; theme=dark; canary=always; tz=UTC",
};

const NOT_FOUND = 1;
const [ROOT, REQUEST_HEADERS, RESPONSE_HEADERS] = [1, 12, 8];
const PAGE_BYTES = 65_536;

/** Names are told apart by length and first letter, so that hardly any time goes into it. */
const keyOf = (length: number, first: number) => length * 256 + first;

type Export = (...words: number[]) => number;

/** A plugin on a host whose hostcalls do next to nothing: what it takes is the plugin's own. */
export interface Stub {
  /** Opens a stream and leaves it open. */
  open(): void;
  /** A whole stream: headers of request and response. */
  serve(): void;
  readonly pages: number;
}

/** Starts a plugin that reads a text as its configuration, or its root id as a property. */
export function startStub(wasm: Uint8Array, { text = "any", rootId = "canary" } = {}): Stub {
  const module = new Module(wasm);
  const [configuration, root] = [Buffer.from(text), Buffer.from(rootId)];
  const values = new Map(
    Object.entries(HEADERS).map(([name, value]) => [
      keyOf(name.length, name.charCodeAt(0)),
      Buffer.from(value),
    ]),
  );
  let memory = Buffer.alloc(0);
  const refresh = () => {
    const { buffer } = exports["memory"] as Memory;
    if (memory.buffer !== buffer) memory = Buffer.from(buffer);
  };
  const give = (value: Buffer, addressOut = 0, lengthOut = 0): number => {
    const at = allocate(value.byteLength);
    refresh();
    memory.set(value, at);
    memory.writeUInt32LE(at, addressOut);
    memory.writeUInt32LE(value.byteLength, lengthOut);
    return 0;
  };
  const scripted: Record<string, Export> = {
    proxy_get_header_map_value: (_map, name = 0, length = 0, addressOut, lengthOut) => {
      refresh();
      const value = values.get(keyOf(length, memory[name] ?? 0));
      return value === undefined ? NOT_FOUND : give(value, addressOut, lengthOut);
    },
    proxy_get_buffer_bytes: (_kind, _start, _max, addressOut, lengthOut) =>
      give(configuration, addressOut, lengthOut),
    proxy_get_property: (_path, _length, addressOut, lengthOut) =>
      give(root, addressOut, lengthOut),
  };
  const answers = Module.imports(module).map(({ name }) => [name, scripted[name] ?? (() => 0)]);
  const calls = Object.fromEntries(answers);
  const imports = { env: calls, wasi_snapshot_preview1: calls, wasi_unstable: calls };
  const { exports } = new Instance(module, imports);
  const entry = (name: string) => exports[name] as Export | undefined;
  const none = () => 0;
  const allocate = entry("malloc") ?? entry("proxy_on_memory_allocate") ?? none;
  (entry("_initialize") ?? entry("_start") ?? none)();
  const [create, remove] = [
    entry("proxy_on_context_create") ?? none,
    entry("proxy_on_delete") ?? none,
  ];
  const [request, response] = [
    entry("proxy_on_request_headers") ?? none,
    entry("proxy_on_response_headers") ?? none,
  ];
  // Envoy calls these as well, where they are exported.
  const [body, log, done] = [
    entry("proxy_on_response_body") ?? none,
    entry("proxy_on_log") ?? none,
    entry("proxy_on_done") ?? none,
  ];
  create(ROOT, 0);
  (entry("proxy_on_vm_start") ?? none)(ROOT, 0);
  (entry("proxy_on_configure") ?? none)(ROOT, configuration.byteLength);
  let last = ROOT;
  return {
    open: () => {
      create(++last, ROOT);
    },
    serve: () => {
      const id = ++last;
      create(id, ROOT);
      request(id, REQUEST_HEADERS, 1);
      response(id, RESPONSE_HEADERS, 0);
      body(id, 8, 1);
      log(id);
      done(id);
      remove(id);
    },
    get pages() {
      return (exports["memory"] as Memory).buffer.byteLength / PAGE_BYTES;
    },
  };
}

/** Requests of a batch, of which the fastest counts: short enough that some have a core alone. */
const BATCH = 2_000;

/** Nanoseconds that each of these takes, in turns, so that all share the same good moments. */
export function fastest(works: readonly (() => void)[], ms: number): number[] {
  const best = works.map(() => Number.POSITIVE_INFINITY);
  const until = performance.now() + ms * works.length;
  do {
    for (const [i, work] of works.entries()) {
      const before = process.hrtime.bigint();
      for (let left = BATCH; left > 0; left--) work();
      const taken = Number(process.hrtime.bigint() - before) / BATCH;
      best[i] = Math.min(best[i] ?? taken, taken);
    }
  } while (performance.now() < until);
  return best;
}
