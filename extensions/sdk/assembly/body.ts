// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { Buffer, Status } from "./abi/codes";
import * as host from "./abi/host";
import { bufferOut, firstOut, firstWord, secondOut } from "./abi/result";
import { Bytes } from "./bytes";
import { textLength, textStart } from "./text";

/** Past the end of every buffer. */
const END: usize = 0x7fff_ffff;

/**
 * A body or the data of a connection, as far as the host holds it now: the piece that has just
 * arrived, or all of it after a pause. Nothing is copied here before it is asked for.
 */
@final
export class Body {
  private readonly buffer: Buffer;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  /** How many bytes there are now; 0 where the buffer is not there. */
  get length(): u32 {
    const status = host.proxy_get_buffer_status(this.buffer, firstOut(), secondOut());
    return status == Status.Ok ? firstWord() : 0;
  }

  /** The bytes from `start` on, `max` at most; null where the buffer is not there. */
  get(start: u32 = 0, max: u32 = <u32>END): Bytes | null {
    const status = host.proxy_get_buffer_bytes(this.buffer, start, max, firstOut(), secondOut());
    return status == Status.Ok ? bufferOut() : null;
  }

  /** Puts this in place of everything there is. False if the host refuses. */
  replace<T>(text: T): bool {
    return this.put<T>(0, END, text);
  }

  /** Puts this in front. False if the host refuses. */
  prepend<T>(text: T): bool {
    return this.put<T>(0, 0, text);
  }

  /** Puts this behind. False if the host refuses. */
  append<T>(text: T): bool {
    return this.put<T>(END, 0, text);
  }

  private put<T>(start: usize, size: usize, text: T): bool {
    const from = textStart<T>(text);
    const status = host.proxy_set_buffer_bytes(this.buffer, start, size, from, textLength());
    return status == Status.Ok;
  }
}

@lazy export const requestBody = new Body(Buffer.RequestBody);
@lazy export const responseBody = new Body(Buffer.ResponseBody);
@lazy export const downstreamData = new Body(Buffer.DownstreamData);
@lazy export const upstreamData = new Body(Buffer.UpstreamData);
