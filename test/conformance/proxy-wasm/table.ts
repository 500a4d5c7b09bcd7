import type { Case } from "./case.ts";
import { driveHost } from "./drive-host.ts";

/** What Envoy 1.40 showed, by case. */
export type Recorded = Readonly<Record<string, readonly string[]>>;

const INTRODUCTION = `# Conformance of Proxy-Wasm hosts

Each case puts one question to a host: a small module, assembled for it, makes the hostcalls of a list and logs what comes back, and a client sends one request through it. The same modules run in the host of the SDK (\`@weft/sdk/host\`) and in a real Envoy 1.40; what Envoy showed is recorded in test/conformance/proxy-wasm/envoy-1.40.json, and a test asks it again. "=" stands where the host shows the same as Envoy.

\`\`\`sh
npm test -- test/conformance                     # both
node test/conformance/proxy-wasm/record.ts       # asks Envoy, and writes its answers and this page
\`\`\`

A line is a hostcall without its \`proxy_\`, the status it answered (0 is ok), and its results; the last line is what the client got.
`;

const cell = (lines: readonly string[]) =>
  lines.map((line) => `\`${line.replaceAll("|", "\\|")}\``).join("<br>");

/** Whether our host shows what Envoy does. */
export function agrees(one: Case, envoy: readonly string[] | undefined): boolean {
  return JSON.stringify(driveHost(one, "envoy-1.40")) === JSON.stringify(envoy);
}

/** The page docs/conformance.md. */
export function writeTable(cases: readonly Case[], recorded: Recorded): string {
  const rows = cases.map((one) => {
    const envoy = recorded[one.id];
    const host = agrees(one, envoy) ? "=" : cell(driveHost(one, "envoy-1.40"));
    const shown = one.killsEnvoy === true ? "dies (SIGSEGV)" : cell(envoy ?? []);
    const words = [one.title, ...(one.because === undefined ? [] : [`*${one.because}*`])];
    return `| ${one.id} | ${words.join(". ")} | ${shown} | ${host} | ${cell(one.spec ?? [])} |`;
  });
  const same = cases.filter((one) => agrees(one, recorded[one.id])).length;
  const count = `${cases.length} cases; in ${same} of them the host and Envoy show the same.`;
  const head = ["| Case | Question | Envoy 1.40 | Host | Specification, where it differs |"];
  return [INTRODUCTION, `${count}\n`, ...head, "|---|---|---|---|---|", ...rows, ""].join("\n");
}
