import { checkBudget, type Header, load } from "@weft/sdk/vitest";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

const PAGE = "<html><body><h1>Shop</h1></body></html>";
const HTML: Header = ["content-type", "text/html; charset=utf-8"];

/** What the client gets of a response with these headers and pieces. */
function respond(headers: Header[], pieces: string[], settings: object = {}) {
  const stream = plugin.start({ notice: "<p>Hé</p>", ...settings }).open();
  stream.responseHeaders([[":status", "200"], ...headers], false);
  pieces.forEach((piece, index) => {
    stream.responseBody(piece, index === pieces.length - 1);
  });
  return { stream, body: Buffer.from(stream.response.body).toString() };
}

test("the notice stands before the end of the page, wherever the page is cut", () => {
  for (let cut = 0; cut <= PAGE.length; cut++) {
    const { body } = respond([HTML], [PAGE.slice(0, cut), PAGE.slice(cut)]);
    expect(body).toBe("<html><body><h1>Shop</h1><p>Hé</p></body></html>");
  }
});

test("a page that grows has no length beforehand", () => {
  const { stream } = respond([HTML, ["content-length", "39"]], [PAGE]);
  expect(stream.response).not.toHaveHeader("content-length");
});

test("a page is held back until all of it is there", () => {
  const stream = plugin.start({ notice: "x" }).open();
  stream.responseHeaders([[":status", "200"], HTML], false);
  stream.responseBody("<html>");
  expect(stream.response).toPause();
  expect(stream.response.body).toHaveLength(0);
});

test.each<[string, Header[], string]>([
  ["is no page", [["content-type", "application/json"]], '{"page": "</body>"}'],
  ["is compressed", [HTML, ["content-encoding", "gzip"]], PAGE],
  ["has no end", [HTML], "<html><body>"],
])("what %s passes as it is", (_, headers, text) => {
  expect(respond(headers, [text]).body).toBe(text);
});

test("a page beyond the limit passes as it is", () => {
  expect(respond([HTML], [PAGE, "<!-- -->"], { limit: PAGE.length }).body).toBe(`${PAGE}<!-- -->`);
});

test("stays within its budget", () => checkBudget(import.meta.dirname));
