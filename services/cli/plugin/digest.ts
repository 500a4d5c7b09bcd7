/** Characters of a digest that tell two plugins apart. */
const DIGEST_SHOWN = 12;

/** As much of a digest as people read. */
export function shorten(digest: string): string {
  return digest.slice(0, DIGEST_SHOWN);
}
