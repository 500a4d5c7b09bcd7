// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.
// @utf8-literals: what is passed here is read as UTF-8 only, and so has no UTF-16 in the module.

import { Status } from "./abi/codes";
import * as host from "./abi/host";
import { bufferOut, firstOut, secondOut } from "./abi/result";
import { Bytes } from "./bytes";
import { ProtoWriter } from "./proto-writer";
import { textLength, textStart } from "./text";

/** What kind of value a declared property holds. */
export enum PropertyType { Bytes, String, FlatBuffers, Protobuf }

/** How long a property or a filter state lives: as long as this. */
export enum LifeSpan { FilterChain, DownstreamRequest, DownstreamConnection }

/** Calls a function that only this host has, by name; null if it has none or refuses. */
export function callForeign<N, A>(name: N, input: A): Bytes | null {
  const text = textStart<N>(name);
  const length = textLength();
  const from = textStart<A>(input);
  const status = host.proxy_call_foreign_function(
    text, length, from, textLength(), firstOut(), secondOut(),
  );
  return status == Status.Ok ? bufferOut() : null;
}

/** Makes Envoy choose the route again, after headers that decide about it have changed. */
export function clearRouteCache(): bool {
  return callForeign("clear_route_cache", "") != null;
}

/** Sets an object of filter state that Envoy knows how to make from a text. */
export function setFilterState<P, V>(path: P, value: V, span: LifeSpan): bool {
  const message = new ProtoWriter().text<P>(1, path).text<V>(2, value).number(3, span);
  return callForeign("set_envoy_filter_state", message.finish()) != null;
}

/** Says what `setProperty` of this name will hold, and for how long; once, while configuring. */
export function declareProperty<N, S>(
  name: N, type: PropertyType, span: LifeSpan, schema: S, isReadonly: bool = false,
): bool {
  const message = new ProtoWriter()
    .text<N>(1, name).number(2, isReadonly ? 1 : 0).number(3, type).text<S>(4, schema)
    .number(5, span);
  return callForeign("declare_property", message.finish()) != null;
}

/** Packs bytes with zlib; null if that fails. */
export function compress<T>(input: T): Bytes | null {
  return callForeign<string, T>("compress", input);
}

/** Unpacks what zlib has packed; null if it is damaged. */
export function uncompress<T>(input: T): Bytes | null {
  return callForeign<string, T>("uncompress", input);
}

/** An expression in CEL over Envoy's attributes, compiled by the host. */
@final
export class Expression {
  private constructor(private readonly token: u32) {}

  /** Compiles an expression, or answers null if it is none. Do it once, while configuring. */
  static compile<T>(source: T): Expression | null {
    const token = callForeign<string, T>("expr_create", source);
    if (token == null || token.length != sizeof<u32>()) return null;
    return new Expression(load<u32>(token.start));
  }

  /** The value for the current stream, encoded as properties are; null if it has none. */
  evaluate(): Bytes | null {
    return callForeign<string, Bytes>("expr_evaluate", this.argument());
  }

  /** Lets the host forget it. */
  free(): void {
    callForeign<string, Bytes>("expr_delete", this.argument());
  }

  private argument(): Bytes {
    const buffer = new ArrayBuffer(sizeof<u32>());
    store<u32>(changetype<usize>(buffer), this.token);
    return Bytes.owned(buffer);
  }
}

/** Whether this signature of this text was made with the key (DER) that belongs to the hash. */
export function verifySignature<H>(hash: H, publicKey: Bytes, signature: Bytes, text: Bytes): bool {
  const message = new ProtoWriter()
    .text<H>(1, hash).text(2, publicKey).text(3, signature).text(4, text);
  const result = callForeign<string, Bytes>("verify_signature", message.finish());
  // VerifySignatureResult: field 1, a bool, comes first where it is true.
  return result != null && result.at(0) == 0x08 && result.at(1) == 0x01;
}
