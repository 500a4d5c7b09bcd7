import { type FSWatcher, watch } from "node:fs";
import { basename, dirname, resolve, sep } from "node:path";
import type { Change } from "./dev-loop.ts";

export interface WatchOptions {
  readonly folder: string;
  /** More files that hold settings, anywhere. */
  readonly settingFiles: readonly string[];
  /** Hears what has changed, once writing has paused, and when that was. */
  readonly onEdit: (changes: ReadonlySet<Change>, at: number) => void;
}

/** Editors write a file in several strokes, within milliseconds: the last one counts. */
const QUIET_MS = 10;

/** Watches what a plugin is made of, until it is disposed of. */
export function watchFolder({ folder, settingFiles, onEdit }: WatchOptions): Disposable {
  const root = resolve(folder);
  let changes = new Set<Change>();
  let timer: NodeJS.Timeout | undefined;

  function hear(path: string): void {
    const found = settingFiles.includes(path) ? ["settings" as const] : changesOf(root, path);
    if (found.length === 0) return;
    for (const change of found) changes.add(change);
    const at = performance.now();
    clearTimeout(timer);
    timer = setTimeout(() => {
      const heard = changes;
      changes = new Set();
      onEdit(heard, at);
    }, QUIET_MS);
  }

  const elsewhere = settingFiles.map((path) => dirname(path)).filter((each) => !isIn(root, each));
  const watchers: FSWatcher[] = [
    watch(root, { recursive: true }, (_, name) => hear(resolve(root, name ?? ""))),
    // A file that is renamed into place is another one: its folder hears of it.
    ...[...new Set(elsewhere)].map((each) =>
      watch(each, (_, name) => hear(resolve(each, name ?? ""))),
    ),
  ];
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** What a change of a file means; nothing for what is built, or belongs to an editor. */
export function changesOf(root: string, path: string): readonly Change[] {
  if (!isIn(root, path) || path === root) return [];
  const parts = path.slice(root.length + 1).split(sep);
  const name = basename(path);
  const isForeign = (part: string): boolean => /^\.|~$|^(build|node_modules)$/.test(part);
  if (parts.some(isForeign)) return [];
  if (parts[0] === "assembly") return name.endsWith(".ts") ? ["sources"] : [];
  if (name === "asconfig.json" || name === "package.json") return ["sources"];
  if (name === "extension.yaml" || name === "dev.yaml") return ["settings", "tests"];
  return /\.(ts|json|jsonl)$/.test(name) ? ["tests"] : [];
}

function isIn(root: string, path: string): boolean {
  return path === root || path.startsWith(root + sep);
}
