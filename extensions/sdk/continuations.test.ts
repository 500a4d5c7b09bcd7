import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { buildPlugin } from "./build.ts";
import { createHost } from "./host/index.ts";
import { createBroken, filterWith } from "./probe/broken.ts";

const { wasm } = await buildPlugin(join(import.meta.dirname, "probe", "continuations"));
const { errorOf, close } = await createBroken();

afterAll(close);

/** A host whose authz takes 10 ms, and opens streams that ask it. */
function started() {
  const host = createHost(wasm);
  host.upstream("authz").on(() => ({ headers: [[":status", "200"]], delayMs: 10 }));
  const root = host.start("") ?? 0;
  return {
    host,
    open: (path: string) => {
      const stream = host.openStream(root);
      stream.requestHeaders([[":path", path]]);
      return stream;
    },
    said: () => host.logs.map(({ message }) => message),
  };
}

test("a call goes on in a method of the filter that has called", () => {
  const { host, open, said } = started();
  open("/a");
  open("/b");
  expect(said()).toEqual([]);
  host.advance(10);
  host.advance(10);
  expect(said()).toEqual([
    "first 200 for /a",
    "first 200 for /b",
    "second 200 for /a",
    "second 200 for /b",
  ]);
});

test("a filter that serves again gets no answers of the stream before", () => {
  const { host, open, said } = started();
  open("/gone").close();
  host.advance(5);
  open("/next");
  host.advance(5);
  expect(said()).toEqual([]);
  host.advance(20);
  expect(said()).toEqual(["first 200 for /next", "second 200 for /next"]);
});

test("what is no method of the caller's is refused", async () => {
  const missing = await errorOf(filterWith("new HttpCall('a').get('/').send(this, this.onX);"));
  expect(missing.message).toContain("Property 'onX' does not exist on type");
  const declared =
    "import { HttpResponse } from '@weft/sdk/assembly';\nfunction f(r: HttpResponse): void {}";
  const loose = await errorOf(filterWith("new HttpCall('a').get('/').send(this, f);", declared));
  expect(loose.message).toContain(
    "expected an HttpCallback, or a method as in send(this, this.on…)",
  );
});
