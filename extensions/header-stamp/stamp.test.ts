import { buildPlugin } from "@weft/sdk/build";
import { type Header, type LogLine, Module } from "@weft/sdk/host";
import { checkBudget, load } from "@weft/sdk/vitest";
import { readModule } from "@weft/sdk/wasm";
import { expect, test } from "vitest";

const folder = import.meta.dirname;
const plugin = await load(folder);
const { wasm } = plugin;
const { imports, exports, customSections } = Module;

const configuration = JSON.stringify({
  request: { "x-weft-stamp": "v1", "x-tenant": "blue" },
  response: { "x-weft-demo": "hello" },
});

/** A host that runs the plugin with a configuration, and one open stream. */
function stamping(config: string) {
  const started = plugin.start(config);
  return { ...started, stream: started.open() };
}

/** What the plugin says of a configuration it refuses. */
function refusalOf(config: Uint8Array | string): string {
  const logs: (readonly LogLine[])[] = [];
  const said = plugin.refusal(config, { prepare: (host) => logs.push(host.logs) });
  expect(logs[0]).toHaveLength(1);
  return said;
}

test("headers are stamped on requests and responses", () => {
  const { host, stream } = stamping(configuration);
  expect(stream.requestHeaders([[":path", "/"]])).toEqual([
    [":path", "/"],
    ["x-weft-stamp", "v1"],
    ["x-tenant", "blue"],
  ]);
  expect(stream.responseHeaders([[":status", "200"]])).toEqual([
    [":status", "200"],
    ["x-weft-demo", "hello"],
  ]);
  expect(host.logs).toEqual([]);
});

test("a stamp takes the place of all values a header had", () => {
  const { stream } = stamping(`{"request": {"X-Weft-Stamp": "v1"}}`);
  const forged: Header[] = [
    ["X-Weft-Stamp", "forged"],
    ["accept", "text/html"],
    ["x-weft-stamp", "forged again"],
  ];
  expect(stream.requestHeaders(forged)).toEqual([
    ["x-weft-stamp", "v1"],
    ["accept", "text/html"],
  ]);
});

test("a side without stamps is left alone and not counted", () => {
  const { host, stream } = stamping(`{"response": {"x-weft-demo": "hello"}}`);
  expect(host.counters).toEqual(new Map([["stamped_total", 0n]]));
  expect(stream.requestHeaders([["accept", "*/*"]])).toEqual([["accept", "*/*"]]);
  expect(host.counters.get("stamped_total")).toBe(0n);
  stream.responseHeaders([]);
  expect(host.counters.get("stamped_total")).toBe(1n);
});

test("two plugins in one VM keep their own stamps", () => {
  const { host, stream } = stamping(`{"request": {"x-weft-stamp": "first"}}`);
  const second = host.start(`{"request": {"x-weft-stamp": "second"}}`) ?? 0;
  expect(stream.requestHeaders([])).toEqual([["x-weft-stamp", "first"]]);
  expect(host.openStream(second).requestHeaders([])).toEqual([["x-weft-stamp", "second"]]);
});

test.each([
  ["quotes, slashes and controls", String.raw`"\"\\\/\t"`, '"\\/\t'],
  ["escaped characters", String.raw`"h\u00e9\u20AC\ud83D\ude00"`, "hé€😀"],
  ["UTF-8", `"hé€😀"`, "hé€😀"],
  ["nothing", `""`, ""],
])("a value may hold %s", (_, json, value) => {
  const { stream } = stamping(` { "request" : {"x" :\t${json}\n}\r}\n`);
  expect(stream.requestHeaders([])).toEqual([["x", value]]);
});

test.each([
  ["", "configuration names no header to stamp, at byte 2"],
  [" ", "configuration: expected an object, found the end, at byte 1"],
  ["[]", "configuration: expected an object, found an array, at byte 0"],
  ["{}", "configuration names no header to stamp, at byte 2"],
  [`{"request": {}}`, "configuration names no header to stamp, at byte 15"],
  [`{"request": 7}`, "request: expected an object, found a number, at byte 12"],
  [`{"requests": {}}`, "requests is no setting; there are request and response, at byte 1"],
  [`{"request": {"x": true}}`, "request.x: expected a string, found a boolean, at byte 18"],
  [`{"request": {"x": null}}`, "request.x: expected a string, found null, at byte 18"],
  [`{"request": {"x": {}}}`, "request.x: expected a string, found an object, at byte 18"],
  [`{"request": {"x": -1}}`, "request.x: expected a string, found a number, at byte 18"],
  [`{"request": {"x": "a}}`, "request.x: a string has no end, at byte 22"],
  [`{"request": {"x": "a\nb"}}`, "request.x: a control character must be escaped, at byte 20"],
  [String.raw`{"request": {"x": "\x"}}`, "request.x: unknown escape sequence, at byte 19"],
  [
    String.raw`{"request": {"x": "\u12"}}`,
    "request.x: \\u needs four hexadecimal digits, at byte 19",
  ],
  [String.raw`{"request": {"x": "\ud83d"}}`, "request.x: half of a surrogate pair, at byte 25"],
  [String.raw`{"request": {"x": "\ude00"}}`, "request.x: half of a surrogate pair, at byte 25"],
  [String.raw`{"request": {"x": "a\nb"}}`, "request.x holds a control character, at byte 13"],
  [`{"request": {"x": "1", "X": "2"}}`, "request.X is given twice, at byte 23"],
  [`{"request": {"a b": "1"}}`, "request.a b is no header name, at byte 13"],
  [`{"request": {":path": "/"}}`, "request.:path is no header name, at byte 13"],
  [`{"request": {"x": "1",}}`, "request: expected a name in quotes, found '}', at byte 22"],
  [
    `{"request": {"x": "1" "y": "2"}}`,
    "request: expected a comma or the end of the object, found a string, at byte 22",
  ],
  [`{"request": {"x" "1"}}`, "request: expected a colon, found a string, at byte 17"],
  [`{"request": {"x": "1"}} {}`, "configuration: expected the end, found an object, at byte 24"],
  [
    `{"request": {"x": "1"}`,
    "configuration: expected a comma or the end of the object, found the end, at byte 22",
  ],
])("the configuration %j is refused with its place", (config, problem) => {
  expect(refusalOf(config)).toBe(`header-stamp: ${problem}`);
});

test("a value that is not UTF-8 is refused", () => {
  const cut = Buffer.from([...Buffer.from(`{"request": {"x": "`), 0xc3, ...Buffer.from(`"}}`)]);
  expect(refusalOf(cut)).toBe("header-stamp: request.x: not UTF-8, at byte 19");
});

test("no configuration traps, however damaged", () => {
  const { host } = plugin.start(configuration);
  const whole = Buffer.from(
    String.raw`{"request":{"x":"\u00e9\ud83d\ude00"},"response":{"y":"é"}}`,
  );
  for (let at = 0; at < whole.length; at++) {
    for (const byte of [0x00, 0x22, 0x5c, 0x75, 0x7b, 0x7d, 0x80, 0xff]) {
      const damaged = Buffer.from(whole);
      damaged[at] = byte;
      host.start(damaged);
    }
    expect(host.start(whole.subarray(0, at))).toBeNull();
  }
  expect(host.hasFailed).toBe(false);
});

test("memory stays flat over 100,000 requests", () => {
  const { host, root } = stamping(configuration);
  const request = () => {
    const stream = host.openStream(root);
    stream.requestHeaders([[":path", "/"]]);
    stream.responseHeaders([[":status", "200"]]);
    stream.close();
  };
  for (let i = 0; i < 1_000; i++) request();
  const { pages } = host;
  for (let i = 1_000; i < 100_000; i++) request();
  expect(host.pages).toBe(pages);
  // The stream that `stamping` opened stays silent.
  expect(host.counters.get("stamped_total")).toBe(200_000n);
});

test("the module exports and imports what it uses and nothing else", () => {
  const module = new Module(wasm);
  expect(
    exports(module)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([
    "_initialize",
    "malloc",
    "memory",
    "proxy_abi_version_0_2_1",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_memory_allocate",
    "proxy_on_request_headers",
    "proxy_on_response_headers",
  ]);
  expect(
    imports(module)
      .map(({ module: from, name }) => `${from}.${name}`)
      .sort(),
  ).toEqual([
    "env.proxy_define_metric",
    "env.proxy_get_buffer_bytes",
    "env.proxy_get_log_level",
    "env.proxy_increment_metric",
    "env.proxy_log",
    "env.proxy_replace_header_map_value",
  ]);
  expect(customSections(module, "name")).toHaveLength(1);
});

test("the module has no start section", () => {
  expect(readModule(wasm).start).toBeNull();
});

test("it stays within its budget", () => checkBudget(folder));

test("the same sources give the same bytes", async () => {
  expect(Buffer.compare((await buildPlugin(folder)).wasm, wasm)).toBe(0);
});
