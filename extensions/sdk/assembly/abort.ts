import { LogLevel } from "./abi/codes";
import * as host from "./abi/host";
import { encodeText } from "./utf8";

// The compiler turns a failed assertion, an index out of bounds and a null where none may be into
// a call of `abort`. Its own `env.abort` does not link in a proxy, so `--use abort=` puts this one
// in its place. It must not allocate: a heap without room ends here, too.

/** UTF-16 units taken of one string; each becomes three bytes at most. */
const UNITS_MAX: i32 = 80;

/** Room for two such strings, two numbers and the signs between. */
const text = memory.data(512);

/** Says what went wrong and where, then stops the VM. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  let end = put(message != null ? message : "abort", text);
  end = put(" at ", end);
  end = put(file != null ? file : "?", end);
  end = putNumber(line, put(":", end));
  end = putNumber(column, put(":", end));
  host.proxy_log(LogLevel.Critical, text, end - text);
  unreachable();
}

/** Writes a string, cut to UNITS_MAX, and answers where it ends. */
function put(part: string, at: usize): usize {
  return at + encodeText(changetype<usize>(part), min(part.length, UNITS_MAX), at);
}

/** Writes a number in decimal and answers where it ends. */
function putNumber(value: u32, at: usize): usize {
  const end = value >= 10 ? putNumber(value / 10, at) : at;
  store<u8>(end, 48 + value % 10);
  return end + 1;
}
