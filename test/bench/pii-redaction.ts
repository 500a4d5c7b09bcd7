// How fast pii-redaction reads a body: 64 KiB of JSON lines in one piece, in the in-process host,
// with personal data in each line or in none.
//
//   node test/bench/pii-redaction.ts

import { resolve } from "node:path";
import { buildPlugin } from "../../extensions/sdk/build.ts";
import { createHost } from "../../extensions/sdk/host/index.ts";

const BODY_BYTES = 65_536;

/** Bodies of which the fastest counts: the others shared the machine. */
const ROUNDS = 100;

const few = { email: {}, card: { keepLast: 4 }, fields: { names: ["password", "token"] } };
const all = {
  ...few,
  ...{ iban: {}, ssn: {}, phone: {}, ipv4: {}, ipv6: {} },
  literals: { texts: ["falcon", "heron"] },
};

const lines = {
  "no personal data": (i: number) =>
    `{"id":${i},"name":"Ann Example","note":"ordered two teapots, will come by on monday"}\n`,
  "three findings a line": (i: number) =>
    `{"id":${i},"email":"ann${i}@example.com","card":"4111 1111 1111 1111","password":"s3cret"}\n`,
};

function bodyOf(line: (i: number) => string): Buffer {
  let text = "";
  for (let i = 1_000; text.length < BODY_BYTES; i++) text += line(i);
  return Buffer.from(text.slice(0, BODY_BYTES));
}

const { wasm } = await buildPlugin(resolve("extensions/pii-redaction"));

for (const [what, configuration] of Object.entries({
  "e-mail, cards, fields": few,
  "every kind": all,
})) {
  for (const [content, line] of Object.entries(lines)) {
    const body = bodyOf(line);
    const host = createHost(wasm);
    const root = host.start(JSON.stringify(configuration)) ?? 0;
    let bestMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS; round++) {
      const stream = host.openStream(root);
      stream.requestHeaders([[":path", "/"]]);
      stream.responseHeaders(
        [
          [":status", "200"],
          ["content-type", "application/x-ndjson"],
        ],
        false,
      );
      const began = performance.now();
      stream.responseBody(body, true);
      bestMs = Math.min(bestMs, performance.now() - began);
      stream.close();
    }
    const nsPerByte = (bestMs * 1e6) / BODY_BYTES;
    console.info(
      `${what} | ${content} | ${nsPerByte.toFixed(1)} ns a byte | ${(1_000 / nsPerByte).toFixed(0)} MB/s`,
    );
  }
}
