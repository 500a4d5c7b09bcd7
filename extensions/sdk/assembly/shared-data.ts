import { Status } from "./abi/codes";
import * as host from "./abi/host";
import {
  bufferOut, firstOut, secondOut, thirdOut, thirdWord,
} from "./abi/result";
import { Bytes } from "./bytes";
import { textLength, textStart } from "./text";

/**
 * Times that an update is tried again because somebody else was faster. With the few workers of a
 * proxy the second try nearly always wins; a limit keeps a request from waiting for ever.
 */
const ATTEMPTS_MAX: i32 = 32;

/** A cas that no value has. */
const NO_CAS: u32 = 0xffff_ffff;

/** A value that the workers share, as it was when it was read. */
@final
export class SharedValue {
  constructor(
    readonly bytes: Bytes,
    /** Names this state of the value: a write with it succeeds while nobody else has written. */
    readonly cas: u32,
  ) {}
}

/** What is kept under a key for all VMs of this `vm_id`, or null. */
export function getShared<K>(key: K): SharedValue | null {
  const at = textStart<K>(key);
  const length = textLength();
  const status = host.proxy_get_shared_data(at, length, firstOut(), secondOut(), thirdOut());
  return status == Status.Ok ? new SharedValue(bufferOut(), thirdWord()) : null;
}

/**
 * Keeps a value for all VMs of this `vm_id`. With a `cas` it does so only while the value is as it
 * was read, and answers CasMismatch otherwise.
 */
export function setShared<K, V>(key: K, value: V, cas: u32 = 0): Status {
  const at = textStart<K>(key);
  const length = textLength();
  const text = textStart<V>(value);
  return <Status>host.proxy_set_shared_data(at, length, text, textLength(), cas);
}

/** A change of a shared value. It may run several times, each time on what is there then. */
export abstract class SharedUpdate {
  /** Makes the new value from the old one, which is null at first; null leaves the old one. */
  abstract apply(old: Bytes | null): Bytes | null;
}

/**
 * Changes a shared value, again if somebody else was faster. False if the update left the value
 * as it was, or found no gap between those of others.
 */
export function updateShared<K>(key: K, update: SharedUpdate): bool {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const shared = getShared<K>(key);
    const next = update.apply(shared == null ? null : shared.bytes);
    if (next == null) return false;
    const status = setShared<K, Bytes>(key, next, casOf(shared, attempt));
    if (status != Status.CasMismatch) return status == Status.Ok;
  }
  return false;
}

/**
 * The cas to write with. With 0 the first of several writers would lose what it wrote to the next
 * one; where nothing is there, Envoy lets one writer with any other cas create it, and only one.
 * A host to which the cas must match lets none: it gets the 0 at the second try.
 */
function casOf(shared: SharedValue | null, attempt: i32): u32 {
  if (shared != null) return shared.cas;
  return attempt == 0 ? NO_CAS : 0;
}

/** A number that the workers share, changed without losing what another worker does meanwhile. */
@final
export class SharedInteger {
  private readonly key: Bytes;

  constructor(key: string) {
    this.key = Bytes.of(key);
  }

  /** What it is now; 0 while nobody has written. */
  get value(): i64 {
    const shared = getShared<Bytes>(this.key);
    return shared == null ? 0 : integerIn(shared.bytes);
  }

  /** Adds and answers the sum. `isLost` tells if there was no chance to. */
  add(by: i64): i64 {
    return this.update((old: i64, change: i64): i64 => old + change, by);
  }

  /** Whether the last update found no gap between those of other workers. */
  isLost: bool = false;

  /**
   * Puts `change(old, by)` in place of what is there, again if somebody else was faster, and
   * answers it. A closure is none in AssemblyScript: `by` carries what the change depends on.
   */
  update(change: (old: i64, by: i64) => i64, by: i64): i64 {
    let old: i64 = 0;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const shared = getShared<Bytes>(this.key);
      old = shared == null ? 0 : integerIn(shared.bytes);
      const next = change(old, by);
      store<i64>(firstOut(), next);
      const text = Bytes.view(firstOut(), sizeof<i64>());
      const status = setShared<Bytes, Bytes>(this.key, text, casOf(shared, attempt));
      if (status == Status.Ok) {
        this.isLost = false;
        return next;
      }
      if (status != Status.CasMismatch) break;
    }
    this.isLost = true;
    return old;
  }
}

function integerIn(bytes: Bytes): i64 {
  return bytes.length == sizeof<i64>() ? load<i64>(bytes.start) : 0;
}
