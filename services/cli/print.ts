import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";
import type { Terminal } from "./terminal.ts";

/** Prints a message as ProtoJSON, whole or, for `jsonl`, on one line. */
export function printJson<D extends DescMessage>(
  terminal: Terminal,
  schema: D,
  message: MessageShape<D>,
  form: "json" | "jsonl" = "json",
): void {
  terminal.out(`${JSON.stringify(toJson(schema, message), null, form === "json" ? 2 : 0)}\n`);
}

/** Prints a message as YAML with the fields of its ProtoJSON. */
export async function printYaml<D extends DescMessage>(
  terminal: Terminal,
  schema: D,
  message: MessageShape<D>,
): Promise<void> {
  terminal.out(await toYaml(toJson(schema, message)));
}

/** A value as YAML: the same for the same value, lines as long as they are. */
export async function toYaml(value: unknown): Promise<string> {
  const { stringify } = await import("yaml");
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
