import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { WeftError } from "@weft/core/error";
import { BuildError } from "@weft/sdk/build";
import { LocatedError } from "../errors.ts";
import type { SourceText } from "../failure.ts";
import { findingOf } from "./translate-error.ts";

/** What the compiler complains of, each with the line that it is about and what to do. */
export function compileError(folder: string, cause: unknown): unknown {
  if (!(cause instanceof BuildError)) return cause;
  const sources = new Map<string, SourceText>();
  const findings = cause.diagnostics.map(({ file, line, column, code, message, mend }) => {
    const path = file === "" ? folder : join(folder, file);
    // A mistake may stand in a library that the folder does not hold.
    if (file !== "" && existsSync(path)) {
      sources.set(path, { path, text: readFileSync(path, "utf8") });
    }
    const told = code === "weft" ? message : `${code} ${message}`;
    return findingOf("plugin.does_not_compile", { message: told, help: mend, path, line, column });
  });
  const message = `${folder} does not compile`;
  const error = new WeftError("invalid", "plugin.does_not_compile", message, { cause, findings });
  return new LocatedError(error, [...sources.values()]);
}
