/** Changes of letters between a name and what was probably meant. */
const DISTANCE_MAX = 2;

/** The name that takes fewest changes of letters, if they are few. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const near = names
    .map((each) => ({ each, distance: distance(name.toLowerCase(), each.toLowerCase()) }))
    .filter(({ each, distance: far }) => far <= DISTANCE_MAX && far < each.length / 2)
    .filter(({ each }) => each !== name)
    .sort((one, other) => one.distance - other.distance);
  return near[0]?.each;
}

/** How many letters must be put in, taken out or changed (Levenshtein). */
function distance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...one].entries()) {
    const row = [i + 1];
    for (const [j, opposite] of [...other].entries()) {
      const changed = (above[j] ?? 0) + (letter === opposite ? 0 : 1);
      row.push(Math.min(changed, (above[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
    }
    above = row;
  }
  return above.at(-1) ?? 0;
}
