import type { Spread } from "./in-envoy.ts";
import { addedBy, EMPTY, nativeName, type Results } from "./report.ts";

interface Bar {
  readonly label: string;
  readonly kind: "ours" | "other" | "native";
  readonly spread: Spread;
}

/** Pixels. */
const [WIDTH, LABELS, VALUES] = [760, 250, 60];
const [BAR, GAP, TITLE, AXIS] = [16, 8, 40, 28];

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .quiet { fill: #59636e; font-size: 12px }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .spread { stroke: #1f2328; stroke-width: 1.5; opacity: .55 }
  .ours { fill: #2f6feb } .other { fill: #bf8700 } .native { fill: #818b98 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .quiet { fill: #9198a1 } .grid { stroke: #3d444d }
    .spread { stroke: #e6edf3 }
    .ours { fill: #4493f8 } .other { fill: #d29922 } .native { fill: #656c76 }
  }`;

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Round steps, five or fewer, that reach the greatest value. */
function steps(greatest: number): number[] {
  const raw = greatest / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw) ?? raw;
  return Array.from({ length: Math.floor(greatest / step) + 1 }, (_, i) => i * step);
}

/** One chart of horizontal bars, from `top` on; answers its lines and where it ends. */
function chart(title: string, bars: readonly Bar[], top: number): [lines: string[], end: number] {
  const greatest = Math.max(...bars.map(({ spread }) => spread.high), 0.1);
  const x = (value: number) => LABELS + (Math.max(value, 0) / greatest) * (WIDTH - LABELS - VALUES);
  const y = (index: number) => top + TITLE + index * (BAR + GAP);
  const end = y(bars.length) + AXIS;
  const grid = steps(greatest).flatMap((value) => [
    `<line class="grid" x1="${x(value).toFixed(1)}" x2="${x(value).toFixed(1)}" y1="${y(0) - 4}" y2="${y(bars.length)}"/>`,
    `<text class="quiet" x="${x(value).toFixed(1)}" y="${y(bars.length) + 14}" text-anchor="middle">${Number(value.toFixed(2))}</text>`,
  ]);
  const drawn = bars.flatMap(({ label, kind, spread: { median, low, high } }, i) => {
    const middle = y(i) + BAR / 2;
    const width = Math.max(x(median) - LABELS, 1);
    return [
      `<text x="${LABELS - 8}" y="${middle + 4.5}" text-anchor="end">${escaped(label)}</text>`,
      `<rect class="${kind}" x="${LABELS}" y="${y(i)}" width="${width.toFixed(1)}" height="${BAR}" rx="2"/>`,
      `<line class="spread" x1="${x(low).toFixed(1)}" x2="${x(high).toFixed(1)}" y1="${middle}" y2="${middle}"/>`,
      `<text class="quiet" x="${(Math.max(x(median), x(high)) + 6).toFixed(1)}" y="${middle + 4.5}">${median.toFixed(1)}</text>`,
    ];
  });
  const heading = `<text class="title" x="0" y="${top + 18}">${escaped(title)}</text>`;
  return [[heading, ...grid, ...drawn], end];
}

/** The picture docs/performance/plugins.svg: CPU that filters add to a request in Envoy. */
export function plot({ costs, measured, catalog }: Results): string {
  const bar = (label: string, kind: Bar["kind"], name: string): Bar => {
    return { label, kind, spread: addedBy(measured, name).cpuUs };
  };
  const canaries = [
    ...costs.map(({ sdk }, i) => bar(sdk, i === 0 ? "ours" : "other", sdk)),
    bar(EMPTY, "native", EMPTY),
  ];
  const plugins = catalog.flatMap(({ plugin, native }) => {
    const own = String(native?.["name"] ?? "").replace("envoy.filters.http.", "Envoy's ");
    return [
      bar(plugin, "ours", plugin),
      ...(native === undefined ? [] : [bar(own, "native", nativeName(plugin))]),
    ];
  });
  const unit = "µs of CPU added to a request in Envoy";
  const [first, middle] = chart(`One filter, three SDKs: ${unit}`, canaries, 0);
  const [second, end] = chart(`Plugins and Envoy's own filters: ${unit}`, plugins, middle + 12);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${end}" width="${WIDTH}" height="${end}" role="img" aria-label="${unit}">`,
    `<style>${STYLE}\n</style>`,
    ...first,
    ...second,
    "</svg>",
    "",
  ].join("\n");
}
