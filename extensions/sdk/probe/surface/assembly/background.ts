import {
  Background, Bytes, filter, findQueue, gauge, histogramWith, logInfo, registerQueue, setShared,
  SharedInteger, SharedUpdate, updateShared,
} from "@weft/sdk/assembly";

const ticks = gauge("ticks");
const sizes = histogramWith("sizes", ["tenant", "kind"]);

const PERIOD_MS: u32 = 250;

/** Puts a mark behind what is shared. */
class Mark extends SharedUpdate {
  apply(old: Bytes | null): Bytes | null {
    return Bytes.of((old == null ? "" : old.toString()) + "!");
  }
}

/** Works without streams: on ticks and on queues. */
@filter("work")
export class Work extends Background {
  private readonly total: SharedInteger = new SharedInteger("total");

  onStart(vmConfigurationSize: u32): bool {
    return vmConfigurationSize < 100;
  }

  onConfigure(): bool {
    return registerQueue("jobs") != null && this.tickEvery(PERIOD_MS);
  }

  onTick(): void {
    ticks.add(1);
    sizes.label("a;.b").label("x").get().record(7);
    logInfo("total " + this.total.add(2).toString() + (this.total.isLost ? " lost" : ""));
    logInfo(updateShared("marks", new Mark()) ? "marked" : "unmarked");
    setShared("plain", "text");
  }

  onQueueReady(_queue: u32): void {
    const queue = findQueue("", "jobs");
    if (queue == null) return;
    const job = queue.dequeue();
    logInfo(job == null ? "no job" : job.toString());
    queue.enqueue("next");
  }

  onDone(): bool {
    return false;
  }
}
