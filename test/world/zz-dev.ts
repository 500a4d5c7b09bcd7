import { createLogger } from "@weft/core/runtime";
import { startControlWorld } from "./control.ts";

const world = await startControlWorld({ log: createLogger("dev") });
console.log(world.url);
process.on("SIGTERM", async () => {
  await world[Symbol.asyncDispose]();
  process.exit(0);
});
