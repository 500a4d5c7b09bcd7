// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.
// @utf8-literals: what is passed here is read as UTF-8 only, and so has no UTF-16 in the module.

import { HeaderMap, Status } from "./abi/codes";
import * as host from "./abi/host";
import { bufferOut, firstOut, firstWord, secondOut } from "./abi/result";
import { Bytes } from "./bytes";
import { cookieIn, Cookies } from "./cookies";
import { HeaderList } from "./header-list";
import { Pairs } from "./pairs";
import { textLength, textStart } from "./text";

/**
 * Headers or trailers, read and changed in the host: nothing is copied here before it is asked
 * for. Names and values are `Bytes` or strings. Names know no case. Views are valid until the
 * callback returns; where the map is not there (any more), it is empty and refuses changes.
 *
 * Changing a request header makes Envoy choose the route again.
 */
@final
export class Headers {
  private readonly map: HeaderMap;

  constructor(map: HeaderMap) {
    this.map = map;
  }

  /** The first value of a header, or null. Whoever decides about access wants `getAll`. */
  get<T>(name: T): Bytes | null {
    const key = textStart<T>(name);
    const status = host.proxy_get_header_map_value(
      this.map, key, textLength(), firstOut(), secondOut(),
    );
    return status == Status.Ok ? bufferOut() : null;
  }

  /** All values of a header, in their order. Costs a copy of the whole map. */
  getAll<T>(name: T): Bytes[] {
    const values = new Array<Bytes>();
    const pairs = this.all();
    while (pairs.next()) {
      if (pairs.name.equalsIgnoringCase<T>(name)) values.push(pairs.value);
    }
    return values;
  }

  /**
   * All values of a header as one, in their order with commas between (RFC 9110 §5.3), or null.
   * Costs a copy of the whole map.
   */
  getJoined<T>(name: T): Bytes | null {
    return this.all().getJoined<T>(name);
  }

  /** Every header, in order. Costs a copy of the whole map. */
  all(): Pairs {
    const status = host.proxy_get_header_map_pairs(this.map, firstOut(), secondOut());
    return new Pairs(status == Status.Ok ? bufferOut() : Bytes.view(0, 0));
  }

  /** How many bytes all names and values take together; 0 if the map is not there. */
  get sizeBytes(): u32 {
    const status = host.proxy_get_header_map_size(this.map, firstOut());
    return status == Status.Ok ? firstWord() : 0;
  }

  has<T>(name: T): bool {
    return this.get<T>(name) != null;
  }

  /** The value of a cookie (RFC 6265 §4.2.1) in the first `cookie` header, or null. */
  cookie<T>(name: T): Bytes | null {
    const header = this.get<Bytes>(cookieName);
    return header == null ? null : cookieIn<T>(header, name);
  }

  /** The cookies of the first `cookie` header, in order. */
  cookies(): Cookies {
    const header = this.get<Bytes>(cookieName);
    return Cookies.of(header == null ? Bytes.view(0, 0) : header);
  }

  /** Makes this the only value of the header. False if the host refuses. */
  set<N, V>(name: N, value: V): bool {
    const key = textStart<N>(name);
    const keyLength = textLength();
    const text = textStart<V>(value);
    const status = host.proxy_replace_header_map_value(
      this.map, key, keyLength, text, textLength(),
    );
    return status == Status.Ok;
  }

  /** Adds a value and keeps those there are. False if the host refuses. */
  add<N, V>(name: N, value: V): bool {
    const key = textStart<N>(name);
    const keyLength = textLength();
    const text = textStart<V>(value);
    const status = host.proxy_add_header_map_value(this.map, key, keyLength, text, textLength());
    return status == Status.Ok;
  }

  /** Removes all values of a header. False if the host refuses. */
  remove<T>(name: T): bool {
    const key = textStart<T>(name);
    return host.proxy_remove_header_map_value(this.map, key, textLength()) == Status.Ok;
  }

  /** Puts these headers in place of all there are. False if the host refuses. */
  replaceAll(headers: HeaderList): bool {
    const pairs = headers.serialize();
    return host.proxy_set_header_map_pairs(this.map, pairs.start, pairs.length) == Status.Ok;
  }
}

@lazy const cookieName = Bytes.of("cookie");

/** The headers of the current request. Gone in response callbacks: copy what you need there. */
@lazy export const requestHeaders = new Headers(HeaderMap.Request);
@lazy export const requestTrailers = new Headers(HeaderMap.RequestTrailers);
/** The headers of the current response. */
@lazy export const responseHeaders = new Headers(HeaderMap.Response);
@lazy export const responseTrailers = new Headers(HeaderMap.ResponseTrailers);
