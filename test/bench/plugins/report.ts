import { type CanaryCost, OPEN_STREAMS } from "./canary.ts";
import type { Entry } from "./catalog.ts";
import type { Added, Measured, Spread } from "./in-envoy.ts";

export interface Results {
  readonly costs: readonly CanaryCost[];
  readonly measured: Measured;
  readonly catalog: readonly Entry[];
}

/** The subject that shows what it costs to enter a plugin at all. */
export const EMPTY = "an empty plugin";

/** The subject that is what Envoy has in place of a plugin. */
export const nativeName = (plugin: string) => `${plugin}: native`;

/** Finds what a subject adds. */
export function addedBy({ added }: Measured, name: string): Added {
  const found = added.find((one) => one.name === name);
  if (found === undefined) throw new Error(`${name} was not measured`);
  return found;
}

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const us = (value: number) => value.toFixed(1);
const range = ({ median, low, high }: Spread) => `${us(median)} (${us(low)}–${us(high)})`;
const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [row(head), row(head.map((_, i) => (i === 0 ? "---" : "--:"))), ...rows.map(row)];
}

function canaries({ costs, measured }: Results): string[] {
  const open = OPEN_STREAMS.map((count) => `ns, ${number.format(count)} open`);
  const head = ["SDK", "Size", ...open, "Memory", "ns, whole host", "CPU in Envoy", "p50", "p99"];
  const rows = costs.map(({ sdk, bytes, stubNs, hostNs, pages }) => {
    const { cpuUs, p50Us, p99Us } = addedBy(measured, sdk);
    return [
      sdk,
      `${(bytes / 1_000).toFixed(1)} kB`,
      ...stubNs.map((ns) => number.format(ns)),
      `${number.format(pages * 64)} KiB`,
      number.format(hostNs),
      ...[range(cpuUs), us(p50Us), us(p99Us)],
    ];
  });
  return table(head, rows);
}

function plugins({ measured, catalog }: Results): string[] {
  const head = ["Plugin", "CPU", "p50", "p99", "Envoy's own filter", "CPU", "p50", "p99"];
  const rows = catalog.map(({ plugin, native }) => {
    const cells = (name: string) => {
      const { cpuUs, p50Us, p99Us } = addedBy(measured, name);
      return [range(cpuUs), us(p50Us), us(p99Us)];
    };
    const own = String(native?.["name"] ?? "").replace("envoy.filters.http.", "");
    const theirs = native === undefined ? ["", "", ""] : cells(nativeName(plugin));
    return [plugin, ...cells(plugin), own, ...theirs];
  });
  return table(head, rows);
}

/** The section "Plugins" of docs/performance.md. */
export function section(results: Results): string {
  const { bare } = results.measured;
  return [
    "## Plugins",
    "",
    "`node test/bench/plugins.ts` — the same filter written with each of the AssemblyScript SDKs there are, in each as its documentation tells: it reads three headers, parses a cookie, sets and removes headers and adds one to the response, and all three are held to make the same of the same requests. Nanoseconds are those of a stream on a stub host, whose hostcalls do next to nothing, with so many streams open; the size is without names and manifest. In a real Envoy, microseconds a request on top of an Envoy without it:",
    "",
    ...canaries(results),
    "",
    "![CPU that plugins add to a request](performance/plugins.svg)",
    "",
    "The plugins of the catalog and, where Envoy has one, its own filter with a configuration that does the same; microseconds a request on top of an Envoy without either:",
    "",
    ...plugins(results),
    "",
    `One Envoy with one worker has all of them, each behind a port of its own, and answers itself; without a filter it takes ${us(bare.cpuUs)} µs of CPU a request at ${number.format(bare.requestsPerSecond)} requests a second over eight connections, and over one connection answers in p50 ${us(bare.p50Us)} µs, p99 ${us(bare.p99Us)} µs. Windows with and without a filter follow each other, and the figures are medians of their differences, with quartiles in brackets. CPU is what the kernel counts for Envoy's threads; latency is measured over one connection, so that no request waits for another.`,
    "",
    `To enter a plugin costs something by itself: an empty one with a single callback takes ${us(addedBy(results.measured, EMPTY).cpuUs.median)} µs of CPU. The rest goes mostly into hostcalls, each of which crosses from WebAssembly into Envoy and often back into the allocator. Where Envoy has a filter of its own for all that is needed, that is the cheaper one. Under both of jwt-claims-router's figures Envoy verifies the token already; what it costs jwt_authn to write a claim into a header as well cannot be told from nothing.`,
    "",
    "The other two SDKs write the ids of all open streams into debug lines whenever a stream begins, before the host drops them: hence the time that grows with the open streams.",
    "",
  ].join("\n");
}
