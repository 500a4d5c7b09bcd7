import { Metric, Status } from "./abi/codes";
import * as host from "./abi/host";
import { firstOut, firstWord } from "./abi/result";
import { Bytes } from "./bytes";

/** Every counter of the module, so that all of them stand in the statistics from the start. */
const declared = new Array<Counter>();

/**
 * A counter in the proxy's statistics; Envoy shows it as `wasmcustom.<name>`. It belongs to the
 * process: the workers count into the same one.
 */
@final
export class Counter {
  private id: u32 = 0;
  private isDefined: bool = false;
  private readonly name: Bytes;

  constructor(name: Bytes) {
    this.name = name;
  }

  /** Counts. Without effect for 0, and where the host knows no metrics. */
  inc(by: u32 = 1): void {
    if (this.isDefined && by > 0) host.proxy_increment_metric(this.id, by);
  }

  /** Makes the counter known to the host, which answers the same id for the same name. */
  define(): void {
    if (this.isDefined) return;
    const status = host.proxy_define_metric(
      Metric.Counter, this.name.start, this.name.length, firstOut(),
    );
    this.isDefined = status == Status.Ok;
    if (this.isDefined) this.id = firstWord();
  }
}

/** Declares a counter. The host hears of it when the plugin is configured, not before it may. */
export function counter(name: string): Counter {
  const created = new Counter(Bytes.of(name));
  declared.push(created);
  return created;
}

/** Defines all declared counters; called whenever a plugin is configured. */
export function defineCounters(): void {
  for (let i = 0; i < declared.length; i++) declared[i].define();
}
