import { checkBudget, load } from "@weft/sdk/vitest";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

/** How a ClientHello begins. */
const HELLO = Uint8Array.of(22, 3, 1, 2, 0, 1);

/** A connection on which these pieces have come. */
function connect(pieces: (Uint8Array | string)[], settings = {}) {
  const { host, connect } = plugin.start(settings);
  const connection = connect();
  for (const piece of pieces) connection.receive(piece);
  return { connection, plain: host.counters.get("plain_connections_total") };
}

test("TLS passes, however it is cut", () => {
  for (let cut = 0; cut <= HELLO.length; cut++) {
    const { connection, plain } = connect([HELLO.subarray(0, cut), HELLO.subarray(cut)]);
    expect(Uint8Array.from(connection.upstream)).toEqual(HELLO);
    expect([connection.isReset, plain]).toEqual([false, 0n]);
  }
});

test.each(["GET / HTTP/1.1\r\n", "\x16\x02", "SSH-2.0-x\r\n"])("%j is closed", (text) => {
  const { connection, plain } = connect([text]);
  expect([connection.isReset, connection.upstream.length, plain]).toEqual([true, 0, 1n]);
});

test("one byte decides nothing", () => {
  const { connection } = connect(["G"]);
  expect(connection).toPause();
  expect(connection.isReset).toBe(false);
});

test("plain connections can be counted and let through", () => {
  const { connection, plain } = connect(["GET /", " HTTP/1.1\r\n"], { onlyCount: true });
  expect(Buffer.from(connection.upstream).toString()).toBe("GET / HTTP/1.1\r\n");
  expect(plain).toBe(1n);
});

test("stays within its budget", () => checkBudget(import.meta.dirname));
