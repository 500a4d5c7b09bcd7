/** Whether two runs of bytes of the same length are the same. */
export function areEqual(one: usize, other: usize, length: i32): bool {
  let left = length;
  let at = one;
  let against = other;
  for (; left >= 8; left -= 8) {
    if (load<u64>(at) != load<u64>(against)) return false;
    at += 8;
    against += 8;
  }
  for (; left > 0; left--) {
    if (load<u8>(at++) != load<u8>(against++)) return false;
  }
  return true;
}
