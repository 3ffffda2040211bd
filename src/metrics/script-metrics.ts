// The metrics that scripts keep (stdlib 12), as the configuration declares them. Counters and gauges live in a table here
// and are copied into prom-client's registry when somebody looks; only histograms keep their buckets there.
//
// Invariant: a reload keeps the values of every metric whose kind, labels and buckets stay.

import { createRequire } from 'node:module';
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { bytesToText, detached } from '#lang';
import type { Labels, MetricReading, MetricStore } from '#stdlib';
import type { MetricSettings } from '../config/configuration.js';

/** Combinations of label values that one metric may have. */
const MOST_SERIES = 1000;

/** Bytes of one label value; they come from peers. */
const LONGEST_LABEL_VALUE = 256;

export interface ScriptMetricsOptions {
  readonly mostSeries?: number;
  /** Told once for each metric that has all the series it may have. */
  readonly onFull?: (name: string, mostSeries: number) => void;
}

interface Series {
  readonly labels: Record<string, string>;
  /** The value; of a histogram, the sum. */
  value: number;
  /** Observations of a histogram. */
  count: number;
}

type PromMetric = Counter | Gauge | Histogram;

interface Metric {
  settings: MetricSettings;
  readonly prom: PromMetric;
  readonly series: Map<string, Series>;
  wasFull: boolean;
}

// Loaded by those who declare metrics only: 20 ms.
const requirePackage = createRequire(import.meta.url);
const loadPromClient = () => requirePackage('prom-client') as typeof import('prom-client');

export class ScriptMetrics implements MetricStore {
  readonly #mostSeries: number;
  readonly #onFull: (name: string, mostSeries: number) => void;
  #metrics = new Map<string, Metric>();
  #registry: Registry | undefined;

  constructor({ mostSeries = MOST_SERIES, onFull = () => {} }: ScriptMetricsOptions = {}) {
    this.#mostSeries = mostSeries;
    this.#onFull = onFull;
  }

  /** Takes a configuration's metrics in place of the former ones. */
  configure(declared: readonly MetricSettings[]): void {
    const former = this.#metrics;
    this.#metrics = new Map();
    this.#registry?.clear();
    if (declared.length === 0) return;
    const client = loadPromClient();
    this.#registry ??= new client.Registry();
    for (const settings of declared) {
      const old = former.get(settings.name);
      const metric =
        old !== undefined && isSameShape(old.settings, settings) ? old : this.#make(client, settings);
      metric.settings = settings;
      // prom-client reads it when the page is made.
      (metric.prom as unknown as { help: string }).help = settings.help;
      this.#registry.registerMetric(metric.prom);
      this.#metrics.set(settings.name, metric);
    }
  }

  /** All metrics in the text format of Prometheus; empty without any. */
  async expose(): Promise<string> {
    return this.#metrics.size === 0 ? '' : await this.#registry!.metrics();
  }

  increment(name: string, labels: Labels, by: number): boolean {
    const metric = this.#metrics.get(name);
    if (metric === undefined || !Number.isFinite(by)) return false;
    const { type } = metric.settings;
    if (type === 'histogram' || (type === 'counter' && by < 0)) return false;
    return this.#change(metric, labels, (series) => {
      series.value += by;
    });
  }

  decrement(name: string, labels: Labels, by: number): boolean {
    const metric = this.#metrics.get(name);
    if (metric?.settings.type !== 'gauge' || !Number.isFinite(by)) return false;
    return this.#change(metric, labels, (series) => {
      series.value -= by;
    });
  }

  set(name: string, labels: Labels, value: number): boolean {
    const metric = this.#metrics.get(name);
    if (metric === undefined || !Number.isFinite(value)) return false;
    const { type } = metric.settings;
    if (type === 'counter' && value < 0) return false;
    return this.#change(metric, labels, (series) => {
      if (type === 'histogram') {
        (metric.prom as Histogram).observe(series.labels, value);
        series.value += value;
        series.count++;
      } else series.value = value;
    });
  }

  get(name: string, labels: Labels): MetricReading | undefined {
    const metric = this.#metrics.get(name);
    const key = metric === undefined ? undefined : keyOf(metric.settings, labels);
    const series = key === undefined ? undefined : metric!.series.get(key);
    if (series === undefined) return undefined;
    return metric!.settings.type === 'histogram'
      ? { count: series.count, sum: series.value }
      : { value: series.value };
  }

  #change(metric: Metric, labels: Labels, change: (series: Series) => void): boolean {
    const key = keyOf(metric.settings, labels);
    if (key === undefined) return false;
    let series = metric.series.get(key);
    if (series === undefined) {
      if (metric.series.size >= this.#mostSeries) {
        if (!metric.wasFull) this.#onFull(metric.settings.name, this.#mostSeries);
        metric.wasFull = true;
        return false;
      }
      // Detached: a label that a script cut out of a message must not keep the message.
      const shown = Object.entries(labels).map(
        ([label, value]) => [label, detached(bytesToText(value))] as const,
      );
      series = { labels: Object.fromEntries(shown), value: 0, count: 0 };
      metric.series.set(detached(key), series);
    }
    change(series);
    return true;
  }

  #make(client: typeof import('prom-client'), settings: MetricSettings): Metric {
    const { name, help, labels, buckets } = settings;
    const series = new Map<string, Series>();
    const common = { name, help, labelNames: [...labels], registers: [] };
    // Counters and gauges are filled in when they are shown.
    const copy = (prom: Counter | Gauge): void => {
      prom.reset();
      for (const one of series.values()) prom.inc(one.labels, one.value);
    };
    let prom: PromMetric;
    if (settings.type === 'histogram') {
      prom = new client.Histogram(buckets === undefined ? common : { ...common, buckets: [...buckets] });
    } else if (settings.type === 'counter') {
      prom = new client.Counter({
        ...common,
        collect() {
          copy(this);
        },
      });
    } else {
      prom = new client.Gauge({
        ...common,
        collect() {
          copy(this);
        },
      });
    }
    return { settings, prom, series, wasFull: false };
  }
}

function isSameShape(a: MetricSettings, b: MetricSettings): boolean {
  const shape = ({ type, labels, buckets }: MetricSettings) => JSON.stringify([type, labels, buckets]);
  return shape(a) === shape(b);
}

/** The label values in declared order; undefined unless exactly the declared labels are there. */
function keyOf({ labels: declared }: MetricSettings, labels: Labels): string | undefined {
  let key = '';
  let count = 0;
  for (const label of declared) {
    const value = labels[label];
    if (value === undefined || value.length > LONGEST_LABEL_VALUE) return undefined;
    // The length keeps ["ab", "c"] and ["a", "bc"] apart.
    key += `${value.length}:${value}`;
    count++;
  }
  for (const _ in labels) count--;
  return count === 0 ? key : undefined;
}
