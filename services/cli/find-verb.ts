import type { Command } from "commander";

export interface Verb {
  readonly summary: string;
  /** Adds the command to the program, which these arguments call; only then is its code loaded. */
  readonly register: (program: Command, args: readonly string[]) => Promise<void>;
}

/** The verb that arguments name; undefined if they name none, or one that there is not. */
export function findVerb<Name extends string>(
  verbs: Readonly<Record<Name, Verb>>,
  args: readonly string[],
  valueOptions: ReadonlySet<string>,
): Name | undefined {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string;
    if (valueOptions.has(arg)) index++;
    else if (!arg.startsWith("-")) {
      return Object.hasOwn(verbs, arg) ? (arg as Name) : undefined;
    }
  }
  return undefined;
}
