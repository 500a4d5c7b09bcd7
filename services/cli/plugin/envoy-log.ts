/** A line of Envoy's log. */
export interface EnvoyLine {
  readonly thread: number;
  readonly level: EnvoyLevel;
  /** The part of Envoy that speaks: `wasm`, `config`, `main`. */
  readonly component: string;
  readonly text: string;
}

export type EnvoyLevel = "trace" | "debug" | "info" | "warning" | "error" | "critical";

/** What a plugin has said. */
export interface PluginLine {
  readonly level: EnvoyLevel;
  readonly message: string;
}

/** Reads a line as `launchEnvoy` lets Envoy write it; null for what is none, such as a backtrace. */
export function readLine(line: string): EnvoyLine | null {
  const [, thread, level, component = "", json] =
    /^(\d+) (trace|debug|info|warning|error|critical) (\S+) (.*)$/.exec(line) ?? [];
  if (json === undefined) return null;
  return { thread: Number(thread), level: level as EnvoyLevel, component, text: textOf(json) };
}

/** The line as one of the plugin's, if it is: Envoy names root id, VM and stream before it. */
export function pluginLine(
  { component, level, text }: EnvoyLine,
  vmIds: Iterable<string>,
): PluginLine | null {
  if (component !== "wasm" || !text.startsWith("wasm log ")) return null;
  for (const vmId of vmIds) {
    const at = text.indexOf(` ${vmId}: `);
    if (at >= 0) return { level, message: text.slice(at + vmId.length + 3) };
  }
  return null;
}

function textOf(json: string): string {
  try {
    return JSON.parse(`"${json}"`);
  } catch {
    return json; // not UTF-8, or not written by the format
  }
}
