import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ProxyReportSchema } from "@weft/proto/weft/status/v1/proxy_pb.ts";
import { expect, test } from "vitest";
import { createProxiesTable, SILENCE_MAX_MS } from "./proxies-table.ts";

function report(replica: string, proxies: readonly { id: string; connectedAtMs: number }[]) {
  return toBinary(
    ProxyReportSchema,
    create(ProxyReportSchema, {
      replica,
      proxies: proxies.map(({ id, connectedAtMs }) => ({
        id,
        replica,
        connectedAt: timestampFromMs(connectedAtMs),
      })),
    }),
  );
}

test("the table holds what each replica said last", () => {
  const table = createProxiesTable({ now: () => 0 });
  table.take(
    report("a", [
      { id: "web", connectedAtMs: 1 },
      { id: "old", connectedAtMs: 1 },
    ]),
  );
  table.take(report("b", [{ id: "api", connectedAtMs: 1 }]));
  table.take(report("a", [{ id: "web", connectedAtMs: 1 }]));
  expect(table.list().map(({ id, replica }) => `${id} ${replica}`)).toEqual(["api b", "web a"]);
});

test("a replica that is silent too long is forgotten with its proxies", () => {
  let now = 0;
  const table = createProxiesTable({ now: () => now });
  table.take(report("a", [{ id: "web", connectedAtMs: 1 }]));
  now = SILENCE_MAX_MS;
  expect(table.list()).toHaveLength(1);
  now++;
  expect(table.list()).toEqual([]);
});

test("while nobody can be heard, what was told last is shown", () => {
  let now = 0;
  let hears = false;
  const table = createProxiesTable({ now: () => now }, () => hears);
  table.take(report("a", [{ id: "web", connectedAtMs: 1 }]));
  now = SILENCE_MAX_MS + 1;
  expect(table.list()).toHaveLength(1);
  hears = true;
  expect(table.list()).toEqual([]);
});

test("a proxy that moved is shown where it connected last", () => {
  const table = createProxiesTable({ now: () => 0 });
  table.take(report("a", [{ id: "web", connectedAtMs: 5 }]));
  table.take(report("b", [{ id: "web", connectedAtMs: 4 }]));
  expect(table.list().map(({ replica }) => replica)).toEqual(["a"]);
});
