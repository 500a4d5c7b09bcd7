import { Status } from "./status.ts";

/** What VMs share across workers: data with compare-and-swap, by vm_id and key, and queues. */
export interface Shared {
  /** The value and its compare-and-swap number. */
  get(vmId: string, key: string): readonly [value: Uint8Array, cas: number] | undefined;
  set(entry: SharedEntry): number;
  register(vmId: string, name: string, onReady: (queue: number) => void): number;
  resolve(vmId: string, name: string): number | undefined;
  enqueue(queue: number, value: Uint8Array): number;
  dequeue(queue: number): readonly [Uint8Array] | number;
}

export interface SharedEntry {
  readonly vmId: string;
  readonly key: string;
  readonly value: Uint8Array;
  /** 0 writes in any case. */
  readonly cas: number;
  /** Whether a comparison may create what is not there. */
  readonly casCreates: boolean;
}

interface Queue {
  readonly values: Uint8Array[];
  onReady: (queue: number) => void;
}

export function createShared(): Shared {
  const values = new Map<string, readonly [Uint8Array, number]>();
  const ids = new Map<string, number>();
  const queues = new Map<number, Queue>();
  const place = (vmId: string, name: string) => JSON.stringify([vmId, name]);
  let lastCas = 0;
  return {
    get: (vmId, key) => values.get(place(vmId, key)),
    set: ({ vmId, key, value, cas, casCreates }) => {
      const old = values.get(place(vmId, key));
      const mismatches = old === undefined ? !casCreates : old[1] !== cas;
      if (cas !== 0 && mismatches) return Status.casMismatch;
      values.set(place(vmId, key), [value, ++lastCas]);
      return Status.ok;
    },
    register: (vmId, name, onReady) => {
      const id = ids.get(place(vmId, name)) ?? ids.size + 1;
      ids.set(place(vmId, name), id);
      // Values that wait stay; whoever registers last is told of new ones.
      queues.set(id, { values: queues.get(id)?.values ?? [], onReady });
      return id;
    },
    resolve: (vmId, name) => ids.get(place(vmId, name)),
    enqueue: (id, value) => {
      const queue = queues.get(id);
      if (queue === undefined) return Status.notFound;
      queue.values.push(value);
      queue.onReady(id);
      return Status.ok;
    },
    dequeue: (id) => {
      const queue = queues.get(id);
      if (queue === undefined) return Status.notFound;
      const value = queue.values.shift();
      return value === undefined ? Status.empty : [value];
    },
  };
}
