import { join } from "node:path";
import { expect, test } from "vitest";
import { buildPlugin } from "./build.ts";
import { type Answer, createStub, type Stub } from "./probe/stub.ts";
import { manifestOf } from "./transform/manifest.ts";

const { wasm } = await buildPlugin(join(import.meta.dirname, "probe", "surface"));

const OK = 0;
const NOT_FOUND = 1;
const BAD_ARGUMENT = 2;
const CAS_MISMATCH = 8;
const INFO = 2;

/** A started plugin of a root id with one stream, and nothing written down so far. */
function started(rootId: string, more: (stub: Stub) => Record<string, Answer> = () => ({})) {
  const stub = createStub(wasm, (own) => ({
    proxy_get_log_level: (out = 0) => {
      own.writeU32(out, INFO);
      return OK;
    },
    proxy_get_property: (path = 0, length = 0, address = 0, size = 0) =>
      own.text(path, length) === "plugin_root_id" ? own.give(rootId, address, size) : NOT_FOUND,
    proxy_get_buffer_bytes: (_buffer, _start, _max, address = 0, size = 0) =>
      own.give("", address, size),
    ...more(own),
  }));
  stub.call("proxy_on_context_create", 1, 0);
  expect(stub.call("proxy_on_configure", 1, 0)).toBe(1);
  stub.call("proxy_on_context_create", 2, 1);
  stub.calls.length = 0;
  return stub;
}

/** Answers the header "ask" with a question. */
function asking(question: string, own: Stub): Record<string, Answer> {
  return {
    proxy_get_header_map_value: (_map, key = 0, length = 0, address = 0, size = 0) =>
      own.text(key, length) === "ask" ? own.give(question, address, size) : NOT_FOUND,
  };
}

/** What a stub was asked beyond reading the question. */
function told(stub: Stub): string[] {
  return stub.calls.filter((call) => !call.startsWith("get_header_map_value"));
}

/** Headers as the ABI serializes them, seen as text. */
function pairs(headers: readonly (readonly [string, string])[]): string {
  const texts = headers.flat().map((part) => Buffer.from(part));
  const numbers = Buffer.alloc(4 + 4 * texts.length);
  numbers.writeUInt32LE(headers.length);
  for (const [i, text] of texts.entries()) numbers.writeUInt32LE(text.byteLength, 4 + 4 * i);
  const parts = texts.flatMap((text) => [text, Buffer.of(0)]);
  return JSON.stringify(Buffer.concat([numbers, ...parts]).toString());
}

const CALL = 8;

/** Lets an HTTP call of the stream go out, with id CALL. */
function calling(effectiveContext: Answer): Stub {
  const stub = started("http", (own) => ({
    ...asking("http", own),
    proxy_http_call: (...words) => {
      own.writeU32(words.at(-1) ?? 0, CALL);
      return OK;
    },
    proxy_set_effective_context: effectiveContext,
  }));
  expect(stub.call("proxy_on_request_headers", 2, 1, 0)).toBe(1);
  return stub;
}

test("an HTTP call goes out as it was put together", () => {
  const headers = pairs([
    [":authority", "authz"],
    [":method", "POST"],
    [":path", "/check"],
    ["x", "é"],
  ]);
  const [call = ""] = told(calling(() => OK));
  expect(call).toMatch(/^http_call/);
  expect(call).toContain(`http_call("authz", ${headers}, "body", "", 50, `);
});

test("an answer goes on in the stream that has called", () => {
  const stub = calling(() => OK);
  stub.calls.length = 0;
  stub.call("proxy_on_http_call_response", 1, CALL, 3, 0, 0);
  expect(told(stub)).toEqual([
    "set_effective_context(2)",
    `log(2, "answered 0")`,
    "continue_stream(0)",
  ]);
  stub.calls.length = 0;
  stub.call("proxy_on_http_call_response", 1, CALL, 3, 0, 0);
  expect(told(stub)).toEqual([]);
});

test("a call without an answer says so", () => {
  const stub = calling(() => OK);
  stub.call("proxy_on_http_call_response", 1, CALL, 0, 0, 0);
  expect(stub.calls).toContain(`log(2, "failed")`);
});

test("an answer for a stream that is gone is dropped", () => {
  const stub = calling(() => BAD_ARGUMENT);
  stub.call("proxy_on_delete", 2);
  stub.calls.length = 0;
  stub.call("proxy_on_http_call_response", 1, CALL, 3, 0, 0);
  expect(told(stub)).toEqual(["set_effective_context(2)"]);
});

test("a call that cannot be sent is told at once", () => {
  const stub = started("http", (own) => ({
    ...asking("http", own),
    proxy_http_call: () => BAD_ARGUMENT,
  }));
  expect(stub.call("proxy_on_request_headers", 2, 1, 0)).toBe(1);
  expect(stub.calls.at(-1)).toBe(`send_local_response(503, "plugin", "no call", "", -1)`);
});

test("a gRPC stream sends, receives and ends, and ends with the HTTP stream", () => {
  const open = () =>
    started("http", (own) => ({
      ...asking("grpc", own),
      proxy_grpc_stream: (...words) => {
        own.writeU32(words.at(-1) ?? 0, 6);
        return OK;
      },
      proxy_get_buffer_bytes: (_buffer, _start, _max, address = 0, size = 0) =>
        own.give("pong", address, size),
    }));
  const stub = open();
  stub.call("proxy_on_request_headers", 2, 1, 0);
  expect(told(stub)).toEqual([
    expect.stringContaining(
      `grpc_stream("cluster", "a.Service", "Watch", ${pairs([["token", "t"]])}, `,
    ),
    `grpc_send(6, "hello", 0)`,
  ]);
  stub.call("proxy_on_grpc_receive", 1, 6, 4);
  stub.call("proxy_on_grpc_close", 1, 6, 14);
  expect(stub.calls).toContain(`log(2, "message of 4 pong")`);
  expect(stub.calls.slice(-2)).toEqual([`log(2, "closed with 14")`, "close_stream(0)"]);
  stub.calls.length = 0;
  stub.call("proxy_on_delete", 2);
  expect(stub.calls).toEqual([]);

  const cut = open();
  cut.call("proxy_on_request_headers", 2, 1, 0);
  cut.calls.length = 0;
  cut.call("proxy_on_delete", 2);
  expect(cut.calls).toEqual(["grpc_cancel(6)"]);
});

test("a gRPC call is over with its message", () => {
  const stub = started("http", (own) => ({
    ...asking("unary", own),
    proxy_grpc_call: (...words) => {
      own.writeU32(words.at(-1) ?? 0, 5);
      return OK;
    },
  }));
  stub.call("proxy_on_request_headers", 2, 1, 0);
  expect(told(stub)[0]).toContain(`grpc_call("cluster", "a.Service", "Get", "", "question", 70, `);
  stub.call("proxy_on_grpc_receive", 1, 5, 0);
  expect(stub.calls.at(-1)).toBe(`log(2, "message of 0 ")`);
  stub.calls.length = 0;
  stub.call("proxy_on_grpc_receive", 1, 5, 0);
  expect(stub.calls).toEqual([]);
});

test("a local response carries headers, details and a gRPC status", () => {
  const stub = started("http", (own) => asking("refuse", own));
  expect(stub.call("proxy_on_request_headers", 2, 1, 1)).toBe(1);
  const headers = pairs([
    ["retry-after", "1"],
    ["x", ""],
  ]);
  expect(stub.calls.at(-1)).toBe(`send_local_response(429, "limit", "slow down", ${headers}, 8)`);
});

test("properties are read by their types, and are absent without a trap", () => {
  const stub = started("http", (own) => ({
    ...asking("properties", own),
    proxy_get_property: (path = 0, length = 0, address = 0, size = 0) => {
      switch (own.text(path, length)) {
        case "plugin_root_id":
          return own.give("http", address, size);
        case "request\0path":
          return own.give("/a?b", address, size);
        case "source\0port":
          return own.give(Uint8Array.of(0x50, 0, 0, 0, 0, 0, 0, 0), address, size);
        case "connection\0mtls":
          return own.give(Uint8Array.of(1), address, size);
        default:
          return NOT_FOUND;
      }
    },
  }));
  stub.call("proxy_on_request_headers", 2, 1, 1);
  expect(told(stub).filter((call) => !call.startsWith("get_"))).toEqual([
    `log(2, "/a?b")`,
    `log(2, "-1 80")`,
    `log(2, "mtls")`,
    `set_property("tenant", "blue")`,
  ]);
});

test("Envoy's own functions are called with what they take", () => {
  const stub = started("http", (own) => ({
    ...asking("foreign", own),
    proxy_call_foreign_function: (name = 0, length = 0, _in, _size, address = 0, size = 0) => {
      const token = Uint8Array.of(7, 0, 0, 0);
      return own.give(own.text(name, length) === "expr_create" ? token : "", address, size);
    },
  }));
  stub.call("proxy_on_request_headers", 2, 1, 1);
  const calls = told(stub).map((call) => call.replace(/, \d+, \d+\)$/, ")"));
  expect(calls).toEqual([
    `call_foreign_function("clear_route_cache", "")`,
    `call_foreign_function("set_envoy_filter_state", "\\n\\fenvoy.string\\u0012\\u0001v\\u0018\\u0002")`,
    `call_foreign_function("expr_create", "request.path")`,
    `call_foreign_function("expr_delete", "\\u0007\\u0000\\u0000\\u0000")`,
  ]);
});

test("a body is buffered, read in part and replaced; trailers are added to", () => {
  const stub = started("http", (own) => ({
    proxy_get_buffer_bytes: (_buffer, start = 0, max = 0, address = 0, size = 0) =>
      own.give("abcdef".slice(start, start + max), address, size),
    proxy_get_buffer_status: (_buffer, size = 0) => {
      own.writeU32(size, 6);
      return OK;
    },
  }));
  expect(stub.call("proxy_on_request_body", 2, 3, 0)).toBe(1);
  expect(stub.call("proxy_on_request_body", 2, 6, 1)).toBe(0);
  expect(stub.calls.slice(-2)).toEqual([
    `log(2, "body 6 6")`,
    `set_buffer_bytes(0, 0, 2147483647, "bcd")`,
  ]);
  stub.call("proxy_on_response_trailers", 2, 0);
  expect(stub.calls.at(-1)).toBe(`add_header_map_value(3, "x-seen", "yes")`);
  stub.call("proxy_on_log", 2);
  expect(stub.calls.at(-1)).toBe(`log(2, "logged")`);
});

test("a connection is paused, marked at both ends and closed", () => {
  const stub = started("tcp");
  expect(stub.call("proxy_on_new_connection", 2)).toBe(1);
  expect(stub.call("proxy_on_downstream_data", 2, 5, 1)).toBe(0);
  stub.call("proxy_on_downstream_connection_close", 2, 2);
  expect(stub.calls).toEqual([
    `set_buffer_bytes(2, 0, 0, "<")`,
    `set_buffer_bytes(2, 2147483647, 0, ">")`,
    "close_stream(2)",
    `log(2, "closed by 2 after 5")`,
  ]);
});

test("work without streams ticks, and shares what it counts although others are faster", () => {
  let losses = 3;
  let total = Buffer.alloc(8);
  const stub = started("work", (own) => ({
    proxy_get_shared_data: (key = 0, length = 0, address = 0, size = 0, cas = 0) => {
      if (own.text(key, length) !== "total") return NOT_FOUND;
      own.give(total, address, size);
      own.writeU32(cas, 9);
      return OK;
    },
    proxy_set_shared_data: (key = 0, length = 0, value = 0, size = 0) => {
      if (own.text(key, length) !== "total") return OK;
      if (losses-- > 0) return CAS_MISMATCH;
      total = Buffer.from(own.text(value, size));
      return OK;
    },
  }));
  stub.call("proxy_on_tick", 1);
  stub.call("proxy_on_tick", 1);
  expect(total.readBigInt64LE()).toBe(4n);
  expect(losses).toBe(-2);
  const logs = stub.calls.filter((call) => call.startsWith("log"));
  expect(logs).toEqual([
    `log(2, "total 2")`,
    `log(2, "marked")`,
    `log(2, "total 4")`,
    `log(2, "marked")`,
  ]);
  expect(stub.calls).toContain(`set_shared_data("marks", "!", -1)`);
  expect(stub.calls.filter((call) => call.startsWith("define_metric"))).toEqual([
    expect.stringMatching(/^define_metric\(2, "sizes.tenant=.=a_.b;.;kind=.=x;.;", \d+\)$/),
  ]);
});

test("nobody loses what they write first, though all found nothing there", () => {
  const total = Buffer.alloc(8);
  let isThere = false;
  const stub = started("work", (own) => ({
    proxy_get_shared_data: (key = 0, length = 0, address = 0, size = 0, cas = 0) => {
      if (own.text(key, length) !== "total" || !isThere) return NOT_FOUND;
      own.give(total, address, size);
      own.writeU32(cas, 9);
      return OK;
    },
    // As Envoy has it: any cas creates, and 0 writes whatever is there.
    proxy_set_shared_data: (key = 0, length = 0, value = 0, size = 0, cas = 0) => {
      if (own.text(key, length) !== "total") return OK;
      if (!isThere) total.writeBigInt64LE(5n);
      const isFaster = !isThere;
      isThere = true;
      if (isFaster && cas !== 0) return CAS_MISMATCH;
      total.set(Buffer.from(own.text(value, size)));
      return OK;
    },
  }));
  stub.call("proxy_on_tick", 1);
  expect(total.readBigInt64LE()).toBe(7n);
});

test("a lost update ends, and says that it is lost", () => {
  const stub = started("work", () => ({
    proxy_get_shared_data: () => NOT_FOUND,
    proxy_set_shared_data: () => CAS_MISMATCH,
  }));
  stub.call("proxy_on_tick", 1);
  expect(stub.calls).toContain(`log(2, "total 0 lost")`);
  expect(stub.calls).toContain(`log(2, "unmarked")`);
});

test("a queue is found, emptied and filled", () => {
  const stub = started("work", (own) => ({
    proxy_resolve_shared_queue: (...words) => {
      own.writeU32(words.at(-1) ?? 0, 3);
      return OK;
    },
    proxy_dequeue_shared_queue: (_queue, address = 0, size = 0) => own.give("job", address, size),
  }));
  stub.call("proxy_on_queue_ready", 1, 3);
  expect(stub.calls.slice(-2)).toEqual([`log(2, "job")`, `enqueue_shared_queue(3, "next")`]);
  expect(stub.call("proxy_on_done", 1)).toBe(0);
  expect(stub.call("proxy_on_done", 2)).toBe(1);
});

test("a root id that the module has no plugin for is refused", () => {
  const stub = createStub(wasm, () => ({ proxy_get_property: () => NOT_FOUND }));
  stub.call("proxy_on_context_create", 1, 0);
  expect(stub.call("proxy_on_configure", 1, 0)).toBe(0);
  expect(stub.calls).toContain(`log(4, " is no root id of this module; it has work, http, tcp")`);
});

test("what an outer callback holds outlives a callback within it", () => {
  const inner: number[] = [];
  const stub = started("http", (own) => ({
    ...asking("properties", own),
    proxy_get_property: (path = 0, length = 0, address = 0, size = 0) => {
      if (own.text(path, length) === "plugin_root_id") return own.give("http", address, size);
      if (own.text(path, length) !== "request\0path") return NOT_FOUND;
      own.give("/outer", address, size);
      inner.push(own.call("proxy_on_request_body", 2, 9, 0));
      own.give("/other", own.call("malloc", 8), own.call("malloc", 8));
      return OK;
    },
  }));
  stub.call("proxy_on_request_headers", 2, 1, 1);
  expect(inner).toEqual([1]);
  expect(stub.calls).toContain(`log(2, "/outer")`);
});

test("the module exports the callbacks that some filter overrides, and says so", () => {
  const callbacks = stubExports().filter((name) => name.startsWith("proxy_on_"));
  expect(callbacks).toEqual([
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_done",
    "proxy_on_downstream_connection_close",
    "proxy_on_downstream_data",
    "proxy_on_grpc_close",
    "proxy_on_grpc_receive",
    "proxy_on_http_call_response",
    "proxy_on_log",
    "proxy_on_memory_allocate",
    "proxy_on_new_connection",
    "proxy_on_queue_ready",
    "proxy_on_request_body",
    "proxy_on_request_headers",
    "proxy_on_response_trailers",
    "proxy_on_tick",
    "proxy_on_vm_start",
  ]);
  expect(manifestOf(wasm)).toMatchObject({
    name: "work",
    roots: ["work", "http", "tcp"],
    metrics: [
      { kind: "gauge", name: "ticks", hasLabels: false },
      { kind: "histogram", name: "sizes", hasLabels: true },
    ],
  });
});

function stubExports(): string[] {
  return [...createStub(wasm, () => ({})).exports].sort();
}
