// The command line. Compiled code is kept between runs, and only what the verb needs is loaded: people
// and scripts start this program far more often than it changes.

import { enableCompileCache } from "node:module";
import { join } from "node:path";

enableCompileCache(join(import.meta.dirname, "../../node_modules/.cache/weft"));
const { runProgram } = await import("./program.ts");
process.exitCode = await runProgram(process.argv.slice(2));
