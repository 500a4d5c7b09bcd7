import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BuildError, createBuilder, type Diagnostic } from "../build.ts";

/** Builds plugins of one file that have mistakes. */
export interface Broken {
  /** What is wrong with a plugin; throws if nothing is. */
  errorOf(source: string): Promise<BuildError>;
  close(): Promise<void>;
}

export async function createBroken(): Promise<Broken> {
  const folder = await mkdtemp(join(tmpdir(), "weft-broken-"));
  await mkdir(join(folder, "assembly"));
  const builder = createBuilder(folder);
  return {
    errorOf: async (source) => {
      await writeFile(join(folder, "assembly", "index.ts"), source);
      const error = await builder.build().catch((cause: unknown) => cause);
      if (error instanceof BuildError) return error;
      throw error instanceof Error ? error : new Error("it compiles");
    },
    close: () => rm(folder, { recursive: true }),
  };
}

/** Place, message and mend of a diagnostic. */
export function told({ file, line, column, code, message, mend }: Diagnostic): string[] {
  return [`${file}:${line}:${column}`, code === "weft" ? message : `${code} ${message}`, mend];
}

/** What most plugins import, in one line. */
export const IMPORTS =
  "import { Action, Background, Bytes, config, filter, Headers, HttpCall, HttpFilter, logInfo, " +
  `max, min } from "@weft/sdk/assembly";`;

/** A plugin with a statement at line 5, within a callback, and declarations from line 9 on. */
export function filterWith(statement: string, declarations = ""): string {
  return `${IMPORTS}
@filter("a")
export class A extends HttpFilter {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
${statement}
    return Action.Continue;
  }
}
${declarations}
`;
}
