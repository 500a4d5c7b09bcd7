import { HeaderMap, Status } from "./abi/codes";
import * as host from "./abi/host";
import { bufferOut, firstOut, secondOut } from "./abi/result";
import { Bytes, bytesOf } from "./bytes";
import { Pairs } from "./pairs";

/**
 * The headers of a request or a response, read and changed in the host: nothing is copied here
 * before it is asked for. Names and values are `Bytes` or strings; a string is encoded on each
 * call. Names know no case. Views are valid until the callback returns.
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
    const key = bytesOf<T>(name);
    const status = host.proxy_get_header_map_value(
      this.map, key.start, key.length, firstOut(), secondOut(),
    );
    return status == Status.Ok ? bufferOut() : null;
  }

  /** All values of a header, in their order. Costs a copy of the whole map. */
  getAll<T>(name: T): Bytes[] {
    const key = bytesOf<T>(name);
    const values = new Array<Bytes>();
    const status = host.proxy_get_header_map_pairs(this.map, firstOut(), secondOut());
    if (status != Status.Ok) return values;
    const pairs = new Pairs(bufferOut());
    while (pairs.next()) {
      if (pairs.name.equalsIgnoringCase(key)) values.push(pairs.value);
    }
    return values;
  }

  has<T>(name: T): bool {
    return this.get(name) != null;
  }

  /** Makes this the only value of the header. False if the host refuses. */
  set<N, V>(name: N, value: V): bool {
    const key = bytesOf<N>(name);
    const text = bytesOf<V>(value);
    const status = host.proxy_replace_header_map_value(
      this.map, key.start, key.length, text.start, text.length,
    );
    return status == Status.Ok;
  }

  /** Adds a value and keeps those there are. False if the host refuses. */
  add<N, V>(name: N, value: V): bool {
    const key = bytesOf<N>(name);
    const text = bytesOf<V>(value);
    const status = host.proxy_add_header_map_value(
      this.map, key.start, key.length, text.start, text.length,
    );
    return status == Status.Ok;
  }

  /** Removes all values of a header. False if the host refuses. */
  remove<T>(name: T): bool {
    const key = bytesOf<T>(name);
    return host.proxy_remove_header_map_value(this.map, key.start, key.length) == Status.Ok;
  }
}

/** The headers of the current request. Gone in response callbacks: copy what you need there. */
export const requestHeaders = new Headers(HeaderMap.Request);

/** The headers of the current response. */
export const responseHeaders = new Headers(HeaderMap.Response);
