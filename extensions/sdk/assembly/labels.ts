// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { Bytes } from "./bytes";
import { Counter, Gauge, Histogram, HostMetric } from "./metric";
import { textLength, textStart } from "./text";
import { decodeText } from "./utf8";

/**
 * Combinations of label values that one metric may have. Each stays in Envoy's memory for good, so
 * values that come from outside must not make ever more; what comes later counts as "other".
 */
const COMBINATIONS_MAX: i32 = 500;

/** What stands for label values beyond those. */
@lazy const OTHER = Bytes.of("other");

/**
 * A metric with labels. Envoy knows labels only as a part of the name, which the tag rules of its
 * bootstrap take out again: `name.label=.=value;.;label=.=value;.;`.
 *
 *     const hits = counterWith("hits_total", ["route", "code"]);
 *     hits.label(route).label("200").get().inc();
 *
 * Values come in the order of the labels. `get` answers the same metric for the same values.
 */
@final
export class Labelled<M extends HostMetric> {
  private readonly name: Bytes;
  private readonly labels: string[];
  private readonly create: (name: Bytes) => M;
  private readonly known: Map<string, M> = new Map<string, M>();
  private given: i32 = 0;
  private key: string = "";

  constructor(name: Bytes, labels: string[], create: (name: Bytes) => M) {
    this.name = name;
    this.labels = labels;
    this.create = create;
  }

  /** Gives the next label its value; values beyond the last label are left out. */
  label<T>(value: T): Labelled<M> {
    if (this.given >= this.labels.length) return this;
    const start = textStart<T>(value);
    const text = encoded(decodeText(start, textLength()));
    this.key += this.labels[this.given++] + "=.=" + text + ";.;";
    return this;
  }

  /** The metric of the values given since the last `get`; labels without one are "other". */
  get(): M {
    while (this.given < this.labels.length) this.label<Bytes>(OTHER);
    let key = this.key;
    this.key = "";
    this.given = 0;
    if (!this.known.has(key) && this.known.size >= COMBINATIONS_MAX) key = this.overflow();
    if (this.known.has(key)) return this.known.get(key);
    const made = this.create(Bytes.of(this.name.toString() + "." + key));
    made.define();
    this.known.set(key, made);
    return made;
  }

  private overflow(): string {
    let key = "";
    for (let i = 0; i < this.labels.length; i++) key += this.labels[i] + "=.=other;.;";
    return key;
  }
}

/** A value must not hold what ends a value. */
function encoded(value: string): string {
  return value.includes(";.") ? value.replaceAll(";", "_") : value;
}

/** Declares a counter with labels. */
export function counterWith(name: string, labels: string[]): Labelled<Counter> {
  return new Labelled<Counter>(Bytes.of(name), labels, (text: Bytes) => new Counter(text));
}

/** Declares a gauge with labels. */
export function gaugeWith(name: string, labels: string[]): Labelled<Gauge> {
  return new Labelled<Gauge>(Bytes.of(name), labels, (text: Bytes) => new Gauge(text));
}

/** Declares a histogram with labels. */
export function histogramWith(name: string, labels: string[]): Labelled<Histogram> {
  return new Labelled<Histogram>(Bytes.of(name), labels, (text: Bytes) => new Histogram(text));
}
