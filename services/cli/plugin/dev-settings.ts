import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { WeftError } from "@weft/core/error";
import { LineCounter, parseDocument } from "yaml";
import { readText } from "../documents.ts";
import { LocatedError } from "../errors.ts";
import type { FailurePolicy, Upstream } from "./envoy-config.ts";
import { findingOf, locate, type TextPlace } from "./translate-error.ts";

/** What `weft plugin dev` is told on its command line; it goes before what files say. */
export interface DevFlags {
  /** JSON, or a file. */
  readonly configuration?: string;
  readonly upstream?: Upstream;
  readonly clusters?: Readonly<Record<string, Upstream>>;
  readonly rootId?: string;
  readonly failurePolicy?: FailurePolicy;
}

/** How a plugin is to be run while it is written. */
export interface DevSettings {
  /** As extension.yaml names it. */
  readonly name: string;
  readonly configuration: Configuration;
  /** Undefined for an echo. */
  readonly upstream: Upstream | undefined;
  readonly clusters: Readonly<Record<string, Upstream>>;
  /** Undefined for the module's only one. */
  readonly rootId: string | undefined;
  readonly failurePolicy: FailurePolicy;
}

/** What the plugin is configured with, and where that stands. */
export interface Configuration {
  readonly text: string;
  /** What it stands in, a file or the command line; undefined if there is none. */
  readonly file?: { readonly path: string; readonly text: string };
  /** Where a member is, `["rules", 2, "percent"]`, or a byte of `text`, in the file. */
  readonly place: (path: readonly (string | number)[], byte: number) => TextPlace;
}

/** Where settings are looked for in a plugin's folder. */
export const SETTING_FILES = ["dev.yaml", "extension.yaml"] as const;

const POLICIES: readonly FailurePolicy[] = ["FAIL_RELOAD", "FAIL_CLOSED", "FAIL_OPEN"];

/** A setting in a file: read from its value, or refused at its place. */
interface Field {
  readonly value: unknown;
  refuse(message: string, help: string, ...inside: string[]): never;
}

/**
 * Reads the settings of a plugin's folder: flags, then `dev.yaml`, then `dev` in `extension.yaml`,
 * then the first example of configuration there.
 *
 * @throws LocatedError about `plugin.bad_setting`, at its place
 */
export function readDevSettings(folder: string, flags: DevFlags): DevSettings {
  const extension = readYaml(join(folder, "extension.yaml"));
  const own = readYaml(join(folder, "dev.yaml"));
  const sections = [sectionOf(own, []), sectionOf(extension, ["dev"])];
  const find = (name: string): Field | undefined =>
    sections.map((section) => section.get(name)).find((field) => field !== undefined);
  const { name } = extension.value;
  const [upstream, rootId, policy] = [find("upstream"), find("rootId"), find("failurePolicy")];
  return {
    name: typeof name === "string" ? name : basename(resolve(folder)),
    configuration: configurationOf(flags, [own, extension]),
    upstream: flags.upstream ?? (upstream === undefined ? undefined : upstreamIn(upstream)),
    clusters: { ...clustersIn(find("clusters")), ...flags.clusters },
    rootId: flags.rootId ?? (rootId === undefined ? undefined : textIn(rootId)),
    failurePolicy: flags.failurePolicy ?? (policy === undefined ? "FAIL_RELOAD" : policyIn(policy)),
  };
}

/** `127.0.0.1:9000`; `grpc://` in front of it for gRPC. Null for anything else. */
export function readUpstream(text: string): Upstream | null {
  const [, scheme, address, port] = /^(grpc:\/\/|http:\/\/)?(\S+:(\d{1,5}))\/?$/.exec(text) ?? [];
  if (address === undefined || Number(port) > 65_535) return null;
  return scheme === "grpc://" ? { address, http2: true } : { address };
}

interface YamlFile {
  readonly path: string;
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
}

function readYaml(path: string): YamlFile {
  const text = existsSync(path) ? readText(path) : "";
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col: column } = lines.linePos(error.pos[0]);
    const message = error.message.split("\n")[0]?.replace(/ at line \d+.*$/, "") ?? "";
    throw refusal({ path, text, value: {} }, { message, help: "", line, column });
  }
  const value = document.toJS() ?? {};
  return { path, text, value: typeof value === "object" ? value : {} };
}

const SETTINGS = ["configuration", "upstream", "clusters", "rootId", "failurePolicy"];

/** The settings that a part of a file holds. */
function sectionOf(file: YamlFile, path: readonly string[]): Map<string, Field> {
  const value = path.reduce<unknown>(
    (at, key) => (at as Record<string, unknown>)?.[key],
    file.value,
  );
  if (value === undefined || value === null) return new Map();
  const fieldAt = (inside: readonly string[], held: unknown): Field => ({
    value: held,
    refuse(message, help, ...deeper) {
      const at = [...path, ...inside, ...deeper];
      throw refusal(file, { message, help, ...locate(file.text, at) });
    },
  });
  if (typeof value !== "object" || Array.isArray(value)) {
    return fieldAt([], value).refuse("is no object", `write some of ${SETTINGS.join(", ")}`);
  }
  const fields = Object.entries(value).map(
    ([name, held]) => [name, fieldAt([name], held)] as const,
  );
  for (const [name, field] of fields) {
    if (SETTINGS.includes(name)) continue;
    field.refuse(`${name} is no setting`, `there are ${SETTINGS.join(", ")}`);
  }
  return new Map(fields);
}

function textIn(field: Field): string {
  if (typeof field.value === "string") return field.value;
  return field.refuse("is no text", "write it in quotes");
}

function policyIn(field: Field): FailurePolicy {
  const policy = POLICIES.find((each) => each === field.value);
  return policy ?? field.refuse("is no failure policy", `write one of ${POLICIES.join(", ")}`);
}

function upstreamIn(field: Field, ...inside: string[]): Upstream {
  const value = inside.reduce<unknown>(
    (at, key) => (at as Record<string, unknown>)[key],
    field.value,
  );
  const upstream = typeof value === "string" ? readUpstream(value) : null;
  const help = "write 127.0.0.1:9000, or grpc://127.0.0.1:9000";
  return upstream ?? field.refuse("is no address", help, ...inside);
}

function clustersIn(field: Field | undefined): Record<string, Upstream> {
  const value = field?.value ?? {};
  if (field === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    return field.refuse("is no object", "write the name of each cluster and its address");
  }
  const names = Object.keys(value);
  return Object.fromEntries(names.map((name) => [name, upstreamIn(field, name)]));
}

/** The configuration of a flag, of a `dev` section, or of the first example. */
function configurationOf(
  { configuration: flag }: DevFlags,
  [own, extension]: readonly [YamlFile, YamlFile],
): Configuration {
  if (flag !== undefined) return flagged(flag);
  const candidates = [
    [own, ["configuration"]],
    [extension, ["dev", "configuration"]],
    [extension, ["examples", 0]],
    [extension, ["configuration", "examples", 0]],
  ] as const;
  for (const [file, path] of candidates) {
    const value = path.reduce<unknown>((at, key) => (at as never)?.[key], file.value);
    if (value === undefined || value === null) continue;
    return {
      text: typeof value === "string" ? value : JSON.stringify(value),
      file,
      place: (inside) => locate(file.text, [...path, ...inside]),
    };
  }
  return { text: "", place: () => ({ line: 1, column: 1 }) };
}

/** Whether a flag is a configuration itself, and no file that holds one. */
export function isJson(flag: string): boolean {
  return /^\s*[[{"]/.test(flag);
}

/** JSON as it stands, or what a file holds: YAML as JSON, anything else as it is. */
function flagged(flag: string): Configuration {
  if (isJson(flag)) {
    const file = { path: "--configuration", text: flag };
    return { text: flag, file, place: (_, byte) => placeOf(flag, byte) };
  }
  const path = resolve(flag);
  const text = readText(path);
  const file = { path, text };
  if (!/\.ya?ml$/.test(path)) return { text, file, place: (_, byte) => placeOf(text, byte) };
  const { value } = readYaml(path);
  return { text: JSON.stringify(value), file, place: (inside) => locate(text, inside) };
}

function placeOf(text: string, byte: number): TextPlace {
  const before = Buffer.from(text).subarray(0, byte).toString("utf8").split("\n");
  return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
}

function refusal(
  { path, text }: YamlFile,
  told: TextPlace & { readonly message: string; readonly help: string },
): LocatedError {
  const findings = [findingOf("plugin.bad_setting", { path, ...told })];
  const message = `${path} is not what it must be`;
  const error = new WeftError("invalid", "plugin.bad_setting", message, { findings });
  return new LocatedError(error, [{ path, text }]);
}
