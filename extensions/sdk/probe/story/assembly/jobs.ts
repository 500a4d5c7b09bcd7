import {
  Action, Background, counter, filter, findQueue, Headers, HttpFilter, logInfo, registerQueue,
  SharedInteger,
} from "@weft/sdk/assembly";

const ticks = counter("story_ticks");
const jobs = counter("story_jobs");

const PERIOD_MS: u32 = 20;

/** Counts requests of all workers, and passes some on to whoever works in the background. */
@filter("jobs")
export class Counted extends HttpFilter {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const total = (<Worker>this.plugin).total;
    const sum = total.add(1);
    headers.set("x-total", total.isLost ? "lost" : sum.toString());
    const job = headers.get("x-job");
    if (job == null) return Action.Continue;
    const queue = findQueue("", "jobs");
    return queue != null && queue.enqueue(job) ? Action.Continue : this.respond(500, "no queue");
  }
}

@filter("jobs")
export class Worker extends Background {
  readonly total: SharedInteger = new SharedInteger("total");

  onConfigure(): bool {
    return registerQueue("jobs") != null && this.tickEvery(PERIOD_MS);
  }

  onTick(): void {
    ticks.inc();
  }

  onQueueReady(_queue: u32): void {
    const queue = findQueue("", "jobs");
    if (queue == null) return;
    const job = queue.dequeue();
    if (job == null) return;
    jobs.inc();
    logInfo("job " + job.toString());
  }
}
