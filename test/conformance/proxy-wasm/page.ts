import type { Case } from "./case.ts";
import { drive } from "./drive-host.ts";
import type { Answers } from "./driver.ts";
import { GUIDE } from "./guide.ts";
import type { Recorded } from "./recorded.ts";

/** What our host shows. */
export const answersOf = async (cases: readonly Case[]): Promise<Answers> => await drive(cases);

const cell = (lines: readonly string[]) =>
  lines.map((line) => `\`${line.replaceAll("|", "\\|")}\``).join("<br>");

const sectionOf = ({ id }: Case): string => id.slice(0, id.indexOf("."));

/** The page docs/conformance.md. */
export function writePage(cases: readonly Case[], host: Answers, envoy: Recorded): string {
  const isSame = ({ id }: Case) => JSON.stringify(host.get(id)) === JSON.stringify(envoy[id]);
  const row = (one: Case) => {
    const shown = isSame(one) ? "=" : cell(host.get(one.id) ?? []);
    return `| ${one.id} | ${one.title} | ${cell(envoy[one.id] ?? [])} | ${shown} |`;
  };
  const same = cases.filter(isSame).length;
  const count = `${cases.length} cases; in ${same} of them the host and Envoy show the same.`;
  const different = cases.filter((one) => !isSame(one));
  const apart = cases.filter(({ spec }) => spec !== undefined);
  const sections = [...new Set(cases.map(sectionOf))];
  return [
    `${GUIDE}\n${count}\n`,
    "## Where the host and Envoy differ\n",
    "| Case | Question | Envoy 1.40 | Host | Why |",
    "|---|---|---|---|---|",
    ...different.map((one) => `${row(one)} ${one.because ?? ""} |`),
    "\n## Where Envoy leaves the specification\n",
    "The host does what the last column says under its profile `spec`.\n",
    "| Case | Question | Envoy 1.40 | Specification |",
    "|---|---|---|---|",
    ...apart.map(({ id, title, spec = [] }) => {
      return `| ${id} | ${title} | ${cell(envoy[id] ?? [])} | ${cell(spec)} |`;
    }),
    ...sections.flatMap((section) => [
      `\n## All cases: ${section}\n`,
      "| Case | Question | Envoy 1.40 | Host |",
      "|---|---|---|---|",
      ...cases.filter((one) => sectionOf(one) === section).map(row),
    ]),
    "",
  ].join("\n");
}
