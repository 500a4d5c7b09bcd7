import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WeftError } from "@weft/core/error";
import { expect, onTestFinished, test } from "vitest";
import type { LocatedError } from "../errors.ts";
import { readDevSettings, readUpstream } from "./dev-settings.ts";
import { refusalError, stepsOf } from "./refusal.ts";

/** A folder with these files. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "weft-settings-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** What an error points at: `extension.yaml:3:5 is no address (help)`. */
function toldBy(error: unknown, folder: string): string[] {
  const { cause } = error as LocatedError & { cause: WeftError };
  return cause.findings.map(({ path, line, column, message, help }) => {
    const place = line === 0 ? "" : `${path.replace(`${folder}/`, "")}:${line}:${column} `;
    return `${place}${message} (${help})`;
  });
}

function refusalIn(files: Readonly<Record<string, string>>): string[] {
  const folder = folderWith(files);
  try {
    readDevSettings(folder, {});
  } catch (error) {
    return toldBy(error, folder);
  }
  return [];
}

const EXTENSION = `name: tea
dev:
  configuration: { cups: 2 }
  upstream: 127.0.0.1:3000
  clusters: { authz: 127.0.0.1:9000, greeter: "grpc://127.0.0.1:9001" }
  failurePolicy: FAIL_OPEN
examples:
  - cups: 1
`;

test("settings are those of flags, then of dev.yaml, then of extension.yaml", () => {
  const folder = folderWith({
    "extension.yaml": EXTENSION,
    "dev.yaml": "upstream: 127.0.0.1:3001",
  });
  const { configuration, ...settings } = readDevSettings(folder, {
    clusters: { authz: { address: "127.0.0.1:9" } },
  });
  expect(configuration.text).toBe('{"cups":2}');
  expect(settings).toEqual({
    name: "tea",
    upstream: { address: "127.0.0.1:3001" },
    clusters: {
      authz: { address: "127.0.0.1:9" },
      greeter: { address: "127.0.0.1:9001", http2: true },
    },
    rootId: undefined,
    failurePolicy: "FAIL_OPEN",
  });
});

test("without a dev section the first example is the configuration", () => {
  const text = (files: Readonly<Record<string, string>>) =>
    readDevSettings(folderWith(files), {}).configuration.text;
  expect(text({ "extension.yaml": "examples: [{ cups: 1 }]" })).toBe('{"cups":1}');
  expect(text({ "extension.yaml": "configuration: { examples: [{ cups: 3 }] }" })).toBe(
    '{"cups":3}',
  );
  expect(text({})).toBe("");
});

test.each([
  ["upstreem: a:1", "dev.yaml:1:1 upstreem is no setting"],
  [
    "upstream: nowhere",
    "dev.yaml:1:1 is no address (write 127.0.0.1:9000, or grpc://127.0.0.1:9000)",
  ],
  ["clusters:\n  authz: 9", "dev.yaml:2:3 is no address"],
  ["failurePolicy: FAIL", "dev.yaml:1:1 is no failure policy"],
  ["rootId: 7", "dev.yaml:1:1 is no text"],
  ["a: [", "dev.yaml:1:5 "],
])("dev.yaml with %j is refused at its place", (text, told) => {
  expect(refusalIn({ "dev.yaml": text })[0]).toContain(told);
});

test("what a plugin says of its configuration points into the file that holds it", () => {
  const folder = folderWith({
    "extension.yaml": "dev:\n  configuration:\n    rules:\n      - { percent: 101 }\n",
  });
  const { configuration } = readDevSettings(folder, {});
  const said = "tea: rules[0].percent: must be at most 100, at byte 21";
  expect(toldBy(refusalError([said], configuration), folder)).toEqual([
    `extension.yaml:4:11 ${said} (mend the configuration)`,
  ]);
  const flagged = readDevSettings(folder, { configuration: '{\n "rules": 7}' }).configuration;
  expect(toldBy(refusalError(["tea: rules: expected, at byte 12"], flagged), folder)).toEqual([
    "--configuration:2:11 tea: rules: expected, at byte 12 (mend the configuration)",
  ]);
  expect(
    toldBy(refusalError(["Failed to parse corrupted Wasm module"], configuration), ""),
  ).toEqual([
    "Failed to parse corrupted Wasm module (build the module again; it is cut or is no Wasm)",
  ]);
});

test("a member is told apart into its steps", () => {
  expect(stepsOf("rules[2].percent")).toEqual(["rules", 2, "percent"]);
  expect(stepsOf("configuration")).toEqual([]);
});

test.each([
  ["127.0.0.1:1", { address: "127.0.0.1:1" }],
  ["http://localhost:80/", { address: "localhost:80" }],
  ["grpc://[::1]:9", { address: "[::1]:9", http2: true }],
  ["127.0.0.1", null],
  ["127.0.0.1:70000", null],
])("%s is an upstream: %j", (text, upstream) => {
  expect(readUpstream(text)).toEqual(upstream);
});
