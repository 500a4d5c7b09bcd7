import { ALNUM, isAlnum, isLetter, LOCAL } from "./byte-class";

/** The longest local part and domain (RFC 5321 §4.5.3.1). */
const LOCAL_BYTES_MAX: usize = 64;
const DOMAIN_BYTES_MAX: usize = 255;

/** Where the local part begins that ends at `end`; `end` itself if there is none. */
export function localPartBefore(table: StaticArray<u8>, low: usize, end: usize): usize {
  const least = end - low > LOCAL_BYTES_MAX ? end - LOCAL_BYTES_MAX : low;
  let at = end;
  while (at > least && (unchecked(table[load<u8>(at - 1)]) & <u8>LOCAL) != 0) at--;
  // An address begins with none of the signs that stand within it.
  while (at < end && (unchecked(table[load<u8>(at)]) & <u8>ALNUM) == 0) at++;
  return at;
}

/**
 * Where the domain ends that begins at `start`: labels between dots, two at least, the last of
 * which begins with a letter. 0 if these bytes, letters, digits, dots and hyphens, hold none.
 */
export function domainEnd(start: usize, end: usize): usize {
  if (end - start > DOMAIN_BYTES_MAX) return 0;
  let label = start;
  let last: usize = 0;
  let labels = 0;
  for (let at = start; at <= end; at++) {
    if (at < end && load<u8>(at) != 0x2e) continue;
    const stop = withoutHyphens(label, at);
    if (stop == label) break;
    const isTop = stop - label > 1 && isLetter(load<u8>(label));
    if (++labels > 1 && isTop) last = stop;
    if (stop != at) break;
    label = at + 1;
  }
  return last;
}

/** The end of a label without the hyphens after it, which belong to the text around. */
function withoutHyphens(start: usize, end: usize): usize {
  let at = end;
  while (at > start && !isAlnum(load<u8>(at - 1))) at--;
  return at;
}
