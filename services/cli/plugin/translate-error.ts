import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { CODES, type Code, WeftError } from "@weft/core/error";
import {
  type Finding,
  Finding_Severity,
  FindingSchema,
} from "@weft/proto/weft/control/v1/control_pb.ts";
import { LoadError, Trap } from "@weft/sdk/host";
import { Refusal, Slip, type Step } from "@weft/sdk/workshop";
import { isNode, LineCounter, parseDocument } from "yaml";
import { LocatedError } from "../errors.ts";

/** An error of the SDK's as one that people are told: with its place and what to do. */
export function translateError(error: unknown): unknown {
  if (error instanceof Slip) return slipError(error);
  if (error instanceof Refusal) {
    const message = `the plugin refuses its configuration: ${error.message}`;
    return new WeftError("invalid", "plugin.refuses", message, { cause: error });
  }
  if (error instanceof Trap) {
    return new WeftError("invalid", "plugin.trapped", trapText(error), { cause: error });
  }
  if (error instanceof LoadError) {
    return new WeftError("invalid", "plugin.not_wasm", error.message, { cause: error });
  }
  return error;
}

/** What trapped, and the way there from the innermost function on. */
export function trapText({ message, backtrace }: Trap): string {
  const frames = backtrace.map(({ name, source }) => `\n    at ${name} (${source ?? "?"})`);
  return message + frames.join("");
}

/** A place in a text, from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

function slipError({ place, problem, mend }: Slip): LocatedError {
  const { file: path } = place;
  const text = readFileSync(path, "utf8");
  const line = place.line === undefined ? text : (text.split("\n")[place.line - 1] ?? "");
  const found = locate(line, place.path);
  const at = place.line === undefined ? found : { ...found, line: place.line };
  const finding = findingOf("plugin.bad_exchange", { message: problem, help: mend, path, ...at });
  const message = `${path} is not what it must be`;
  const error = new WeftError("invalid", "plugin.bad_exchange", message, { findings: [finding] });
  return new LocatedError(error, [{ path, text }]);
}

/** Where a path leads in JSON: to the name of a field, or to an item. */
export function locate(text: string, path: readonly Step[]): TextPlace {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, keepSourceTokens: true });
  const [first] = document.errors;
  const offset = first === undefined ? offsetOf(document, path) : first.pos[0];
  const { line, col: column } = lines.linePos(offset);
  return { line, column };
}

function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly Step[]): number {
  const step = path.at(-1);
  const parent = document.getIn(path.slice(0, -1), true);
  const items = (parent as { items?: readonly unknown[] } | undefined)?.items ?? [];
  const item =
    typeof step === "number"
      ? items[step]
      : items.map((each) => (each as { key?: unknown }).key).find((key) => String(key) === step);
  const node = isNode(item) ? item : parent;
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

interface Told extends TextPlace {
  readonly message: string;
  readonly help: string;
  readonly path: string;
}

export function findingOf(code: Code, told: Told): Finding {
  const { number } = CODES[code];
  return create(FindingSchema, { severity: Finding_Severity.ERROR, code, number, ...told });
}
