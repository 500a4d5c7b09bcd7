import { Metric, Status } from "./abi/codes";
import * as host from "./abi/host";
import { firstLong, firstOut, firstWord } from "./abi/result";
import { Bytes } from "./bytes";

/** The metrics of the module, linked: all of them stand in the statistics from the start. */
let declared: HostMetric | null = null;

/** A metric that the host knows by an id, once it is defined. */
export class HostMetric {
  /** The metric that was declared before it. */
  older: HostMetric | null = null;

  protected id: u32 = 0;
  protected isDefined: bool = false;
  private readonly kind: Metric;
  private readonly name: Bytes;

  constructor(kind: Metric, name: Bytes) {
    this.kind = kind;
    this.name = name;
  }

  /** Makes the metric known to the host, which answers the same id for the same name. */
  define(): void {
    if (this.isDefined) return;
    const status = host.proxy_define_metric(
      this.kind, this.name.start, this.name.length, firstOut(),
    );
    this.isDefined = status == Status.Ok;
    if (this.isDefined) this.id = firstWord();
  }

  /** What the process has of it now; 0 where the host knows no metrics. */
  protected read(): u64 {
    if (!this.isDefined) return 0;
    return host.proxy_get_metric(this.id, firstOut()) == Status.Ok ? firstLong() : 0;
  }
}

/**
 * A counter in the proxy's statistics; Envoy shows it as `wasmcustom.<name>`. It belongs to the
 * process: the workers count into the same one.
 */
@final
export class Counter extends HostMetric {
  constructor(name: Bytes) {
    super(Metric.Counter, name);
  }

  /** Counts. Without effect for 0, and where the host knows no metrics. */
  inc(by: u32 = 1): void {
    if (this.isDefined && by > 0) host.proxy_increment_metric(this.id, by);
  }

  get value(): u64 {
    return this.read();
  }
}

/** A number that rises and falls, of the whole process. */
@final
export class Gauge extends HostMetric {
  constructor(name: Bytes) {
    super(Metric.Gauge, name);
  }

  set(value: u64): void {
    if (this.isDefined) host.proxy_record_metric(this.id, value);
  }

  add(by: i64): void {
    if (this.isDefined && by != 0) host.proxy_increment_metric(this.id, by);
  }

  get value(): u64 {
    return this.read();
  }
}

/** A distribution of values: durations, sizes. The host tells quantiles of it, the plugin none. */
@final
export class Histogram extends HostMetric {
  constructor(name: Bytes) {
    super(Metric.Histogram, name);
  }

  record(value: u64): void {
    if (this.isDefined) host.proxy_record_metric(this.id, value);
  }
}

function declare<M extends HostMetric>(metric: M): M {
  metric.older = declared;
  declared = metric;
  return metric;
}

/** Declares a counter. The host hears of it when the plugin is configured, not before it may. */
export function counter(name: string): Counter {
  return declare<Counter>(new Counter(Bytes.of(name)));
}

/** Declares a gauge; as `counter`. */
export function gauge(name: string): Gauge {
  return declare<Gauge>(new Gauge(Bytes.of(name)));
}

/** Declares a histogram; as `counter`. */
export function histogram(name: string): Histogram {
  return declare<Histogram>(new Histogram(Bytes.of(name)));
}

/** Defines all declared metrics; called whenever a plugin is configured. */
export function defineMetrics(): void {
  let metric = declared;
  while (metric != null) {
    metric.define();
    metric = metric.older;
  }
}
