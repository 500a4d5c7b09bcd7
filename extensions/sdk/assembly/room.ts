import { allocate } from "./arena";
import { Bytes } from "./bytes";
import { isRunning } from "./callback";

/**
 * Room for a result of this length: the callback's while one runs, so that it is free, and owned
 * at start-up, so that constants may be computed. Empty where there is no memory.
 */
export function room(length: i32): Bytes {
  if (!isRunning()) return Bytes.owned(new ArrayBuffer(length));
  const at = allocate(length);
  return Bytes.view(at, at == 0 ? 0 : length);
}
