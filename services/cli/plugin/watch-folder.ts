import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
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

  // Folders are watched, and not files: an editor that renames a new file into place leaves the
  // watch of a file with the old one.
  const watchers = new Map<string, FSWatcher>();
  function watchIn(path: string): void {
    if (watchers.has(path)) return;
    const watcher = watch(path, (_, name) => {
      const changed = resolve(path, name ?? "");
      hear(changed);
      if (isIn(root, changed) && !isForeign(root, changed) && isFolder(changed)) watchTree(changed);
    });
    watcher.on("error", () => {
      // It was removed: what comes in its place is seen from above.
      watcher.close();
      watchers.delete(path);
    });
    watchers.set(path, watcher);
  }
  function watchTree(path: string): void {
    watchIn(path);
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const inside = resolve(path, entry.name);
      if (entry.isDirectory() && !isForeign(root, inside)) watchTree(inside);
    }
  }
  watchTree(root);
  for (const path of settingFiles) watchIn(dirname(path));

  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

/** What a change of a file means; nothing for what is built, or belongs to an editor. */
export function changesOf(root: string, path: string): readonly Change[] {
  if (!isIn(root, path) || path === root || isForeign(root, path)) return [];
  const name = basename(path);
  if (path.startsWith(`${root}${sep}assembly${sep}`))
    return name.endsWith(".ts") ? ["sources"] : [];
  if (name === "asconfig.json" || name === "package.json") return ["sources"];
  if (name === "extension.yaml" || name === "dev.yaml") return ["settings", "tests"];
  return /\.(ts|json|jsonl)$/.test(name) ? ["tests"] : [];
}

/** Whether it is built, installed, hidden or an editor's own. */
function isForeign(root: string, path: string): boolean {
  const parts = path.slice(root.length + 1).split(sep);
  return parts.some((part) => /^\.|~$|^(build|node_modules|coverage)$/.test(part));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isIn(root: string, path: string): boolean {
  return path === root || path.startsWith(root + sep);
}
