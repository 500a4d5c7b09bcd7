import { checkBudget, type Host, load } from "@weft/sdk/vitest";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

/** What the service is made to answer. */
type Answer = Parameters<ReturnType<Host["upstream"]>["on"]>[0];

/** A request that waits for the service's answer. */
function ask(answer: Answer, settings: object = {}) {
  const { host, open } = plugin.start(
    { cluster: "authz", ...settings },
    { prepare: (host) => host.upstream("authz").on(answer) },
  );
  const stream = open();
  stream.requestHeaders([
    [":method", "PUT"],
    [":path", "/orders"],
    ["authorization", "Bearer abc"],
    ["x-user", "forged"],
  ]);
  return { host, stream };
}

const yes: Answer = () => ({
  headers: [
    [":status", "200"],
    ["x-user", "alice"],
  ],
});

test("a request waits for the answer, and goes on with who asks", () => {
  const { host, stream } = ask(yes);
  expect(stream.request).toPause();
  host.advance(0);
  expect(stream.request).not.toPause();
  expect(stream.request).toHaveHeader("x-user", "alice");
});

test("the service is told what is asked for, and by whom", () => {
  const asked: unknown[] = [];
  ask((request) => {
    asked.push(request.headers);
    return {};
  });
  expect(asked).toEqual([
    [
      [":authority", "authz"],
      [":method", "GET"],
      [":path", "/check"],
      ["x-original-path", "/orders"],
      ["x-original-method", "PUT"],
      ["authorization", "Bearer abc"],
    ],
  ]);
});

test.each([301, 401, 403])("a %i is a no", (status) => {
  const { host, stream } = ask(() => ({ headers: [[":status", String(status)]] }));
  host.advance(0);
  expect(stream).toRespond(403, "not permitted\n");
});

test.each<[string, Answer]>([
  ["is reset", () => "reset"],
  ["is a 5xx", () => ({ headers: [[":status", "500"]] })],
  ["comes too late", () => ({ headers: [[":status", "200"]], delayMs: 300 })],
])("an answer that %s is none", (_, answer) => {
  const closed = ask(answer);
  closed.host.advance(300);
  expect(closed.stream).toRespond(503);
  const open = ask(answer, { passOnFailure: true });
  open.host.advance(300);
  expect(open.stream.request).toHaveHeader(":path", "/orders");
  expect(open.stream.request).not.toHaveHeader("x-user");
  expect(open.host.counters.get("authz_failures_total")).toBe(1n);
});

test("a cluster that is not there is answered for at once", () => {
  const stream = plugin.start({ cluster: "nowhere" }).open();
  stream.requestHeaders([[":path", "/"]]);
  expect(stream).toRespond(503);
});

test("stays within its budget", () => checkBudget(import.meta.dirname));
