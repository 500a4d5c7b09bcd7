import { Status } from "./abi/codes";
import * as host from "./abi/host";
import { bufferOut, firstOut, firstWord, secondOut } from "./abi/result";
import { Bytes } from "./bytes";
import { textLength, textStart } from "./text";

/** A queue between VMs. Whoever registered it last hears of new entries by `onQueueReady`. */
@final
export class Queue {
  constructor(readonly id: u32) {}

  /** Puts an entry at the end. False if the host refuses. */
  enqueue<T>(value: T): bool {
    const text = textStart<T>(value);
    return host.proxy_enqueue_shared_queue(this.id, text, textLength()) == Status.Ok;
  }

  /** Takes the first entry, or answers null: another VM may have been faster. */
  dequeue(): Bytes | null {
    const status = host.proxy_dequeue_shared_queue(this.id, firstOut(), secondOut());
    return status == Status.Ok ? bufferOut() : null;
  }
}

/** Makes a queue of this VM's, or takes the one of this name; null if the host refuses. */
export function registerQueue<T>(name: T): Queue | null {
  const text = textStart<T>(name);
  const status = host.proxy_register_shared_queue(text, textLength(), firstOut());
  return status == Status.Ok ? new Queue(firstWord()) : null;
}

/** Finds a queue that some VM of this `vm_id` has registered; null if there is none. */
export function findQueue<V, T>(vmId: V, name: T): Queue | null {
  const vm = textStart<V>(vmId);
  const vmLength = textLength();
  const text = textStart<T>(name);
  const status = host.proxy_resolve_shared_queue(vm, vmLength, text, textLength(), firstOut());
  return status == Status.Ok ? new Queue(firstWord()) : null;
}
