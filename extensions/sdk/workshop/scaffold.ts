import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** What a plugin can begin as, and what each teaches. */
export const TEMPLATES = {
  headers: "reads and sets headers by a typed configuration",
  auth: "answers in place of the upstream: API keys",
  metrics: "counts with labels, over the life of a request",
  callout: "asks another service before a request goes on",
  body: "changes a body that comes in pieces",
  tcp: "looks at the bytes of a connection: only TLS passes",
} as const;

export type Template = keyof typeof TEMPLATES;

/** What stands in templates, and in the names of their files, for the name of the plugin. */
const PLACEHOLDER = "plugin-name";

/** What the upload gate takes as a plugin's name. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export function isPluginName(name: string): boolean {
  return NAME.test(name);
}

/** Whether a folder is there and holds anything: nothing is written into such. */
export function isTaken(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0;
}

/** Writes a template into a folder, and answers the files there are now. */
export function scaffold(template: Template, folder: string, name: string): string[] {
  const from = join(import.meta.dirname, "../templates", template);
  const paths = readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(from, join(entry.parentPath, entry.name)))
    // What was built in the template itself is none of it.
    .filter((path) => !/^(build|coverage)\//.test(path));
  return paths.sort().map((path) => {
    const own = join(folder, path.replaceAll(PLACEHOLDER, name));
    mkdirSync(dirname(own), { recursive: true });
    const text = readFileSync(join(from, path), "utf8");
    writeFileSync(own, text.replaceAll(PLACEHOLDER, name));
    return own;
  });
}
