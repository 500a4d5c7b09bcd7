import { isWildcard } from "./names.ts";

/** Hosts and patterns, to be asked in a time that does not grow with their number. */
export interface HostSet {
  add(host: string): void;
  /** One of the set that matches every host name that `host` does, or undefined. */
  covering(host: string): string | undefined;
  /** One of the set that matches some host name that `host` does, or undefined. */
  overlapping(host: string): string | undefined;
}

export function createHostSet(hosts: Iterable<string> = []): HostSet {
  const names = new Map<string, string>();
  /** Patterns by what follows their `*`. */
  const patterns = new Map<string, string>();
  /** One host for each ending of a host that some pattern could have. */
  const endings = new Map<string, string>();
  const set: HostSet = {
    add(host) {
      const plain = host.toLowerCase();
      if (isWildcard(plain)) patterns.set(plain.slice(1), host);
      else names.set(plain, host);
      for (const ending of endingsOf(plain)) endings.set(ending, host);
    },
    covering(host) {
      const plain = host.toLowerCase();
      if (!isWildcard(plain) && names.has(plain)) return names.get(plain);
      const found = endingsOf(plain).find((ending) => patterns.has(ending));
      return found === undefined ? undefined : patterns.get(found);
    },
    overlapping(host) {
      const within = isWildcard(host) ? endings.get(host.slice(1).toLowerCase()) : undefined;
      return set.covering(host) ?? within;
    },
  };
  for (const host of hosts) set.add(host);
  return set;
}

/** What may follow the `*` of a pattern that covers the host: `.b.c`, `-a.b.c` and nothing at all. */
function endingsOf(host: string): readonly string[] {
  // Of a pattern its own ending is one, of a name not: `*.a.b` does not match `.a.b`.
  const from = 1;
  const starts = [...host.slice(from).matchAll(/[.-]/g)].map(({ index }) => index + from);
  return [...starts.map((start) => host.slice(start)), ""];
}
