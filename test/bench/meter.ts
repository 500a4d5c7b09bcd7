// What counting costs a plugin: nanoseconds plain, with fuel and with coverage, taken in turns. On
// a stub host, which hands the configuration over and does nothing else, time goes into the
// plugin's code alone; the whole host is what tests run on.
//
//   node test/bench/meter.ts [rounds]

import { join } from "node:path";
import { buildPlugin } from "../../extensions/sdk/build.ts";
import { hostOf } from "../../extensions/sdk/host/host.ts";
import { loadModule } from "../../extensions/sdk/host/link.ts";
import { Instance, type Memory, Module } from "../../extensions/sdk/host/webassembly.ts";
import { type Instruments, instrument, readModule } from "../../extensions/sdk/wasm/index.ts";

/** Rounds of which the fastest counts: the others shared the machine. */
const rounds = Number(process.argv[2] ?? 100);

/** Rounds before those, so that V8 has compiled everything with its optimising compiler. */
const WARM_UP_ROUNDS = 50;

const KINDS: Readonly<Record<string, Instruments>> = {
  plain: {},
  metered: { meter: true },
  covered: { cover: true },
};

const { wasm } = await buildPlugin(join(import.meta.dirname, "../../extensions/header-stamp"));
const module = readModule(wasm);

const stamps = Array.from({ length: 100 }, (_, i) => [`x-stamp-${i}`, `value ${i} of the stamp`]);
const many = JSON.stringify({ request: Object.fromEntries(stamps) });
const few = `{"request": {"x-one": "1", "x-two": "2"}, "response": {"x-three": "3"}}`;

type Export = (...words: number[]) => number;

/** Starts a plugin on a stub host, and answers its exports. */
function startStub(instruments: Instruments, text: string): (name: string) => Export {
  const configuration = Buffer.from(text);
  const compiled = new Module(instrument(module, instruments).wasm);
  const answers: Record<string, Export> = {
    proxy_get_buffer_bytes: (_kind, _start, _max, addressOut = 0, sizeOut = 0) => {
      const address = entry("proxy_on_memory_allocate")(configuration.byteLength);
      const memory = Buffer.from((exports["memory"] as Memory).buffer);
      memory.set(configuration, address);
      memory.writeUInt32LE(address, addressOut);
      memory.writeUInt32LE(configuration.byteLength, sizeOut);
      return 0;
    },
  };
  const imports = Module.imports(compiled).map(({ name }) => [name, answers[name] ?? (() => 0)]);
  const functions = Object.fromEntries(imports);
  const { exports } = new Instance(compiled, { env: functions, wasi_snapshot_preview1: functions });
  const entry = (name: string) => (exports[name] as Export | undefined) ?? (() => 0);
  entry("_initialize")();
  return entry;
}

/** What is measured: how often a round does it, and what makes it ready to be done. */
interface Work {
  readonly turns: number;
  readonly prepare: (instruments: Instruments) => () => void;
}

const works: Readonly<Record<string, Work>> = {
  "configuration of 100 stamps, stub host": {
    turns: 100,
    prepare: (instruments) => {
      const entry = startStub(instruments, many);
      const [create, remove] = [entry("proxy_on_context_create"), entry("proxy_on_delete")];
      const configure = entry("proxy_on_configure");
      let last = 0;
      return () => {
        create(++last, 0);
        if (configure(last, many.length) === 0) throw new Error("it is refused");
        remove(last);
      };
    },
  },
  "request, stub host": {
    turns: 20_000,
    prepare: (instruments) => {
      const entry = startStub(instruments, few);
      const [create, remove] = [entry("proxy_on_context_create"), entry("proxy_on_delete")];
      const request = entry("proxy_on_request_headers");
      const response = entry("proxy_on_response_headers");
      create(1, 0);
      entry("proxy_on_configure")(1, few.length);
      let last = 1;
      return () => {
        create(++last, 1);
        request(last, 12, 1);
        response(last, 8, 1);
        remove(last);
      };
    },
  },
  "request, whole host": {
    turns: 1_000,
    prepare: (instruments) => {
      const host = hostOf(loadModule(wasm, instruments));
      const root = host.start(few) ?? 0;
      return () => {
        const stream = host.openStream(root);
        stream.requestHeaders([[":path", "/"]]);
        stream.responseHeaders([[":status", "200"]]);
        stream.close();
      };
    },
  },
};

for (const [kind, instruments] of Object.entries(KINDS)) {
  const before = process.hrtime.bigint();
  const { byteLength } = instrument(module, instruments).wasm;
  const ms = Number(process.hrtime.bigint() - before) / 1e6;
  console.log(`module, ${kind}: ${byteLength} bytes, rewritten in ${ms.toFixed(1)} ms`);
}
for (const [what, { turns, prepare }] of Object.entries(works)) {
  const runs = Object.entries(KINDS).map(([kind, instruments]) => {
    return { kind, turn: prepare(instruments), best: Number.POSITIVE_INFINITY };
  });
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const run of runs) {
      const before = process.hrtime.bigint();
      for (let i = 0; i < turns; i++) run.turn();
      const took = Number(process.hrtime.bigint() - before) / turns;
      if (round >= 0) run.best = Math.min(run.best, took);
    }
  }
  const plain = runs[0]?.best ?? 1;
  for (const { kind, best } of runs) {
    const more = ((best / plain - 1) * 100).toFixed(1);
    console.log(`${what}, ${kind}: ${best.toFixed(0)} ns${kind === "plain" ? "" : `, ${more} %`}`);
  }
}
