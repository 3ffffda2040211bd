// Counters, gauges and histograms that scripts keep (stdlib 12). They are declared in the configuration and shown on
// /metrics; the store is one for the process.

/** Label names and values, checked by the store. */
export type Labels = Readonly<Record<string, string>>;

/** What `metrics_get` answers: a number, or for a histogram its count and sum. */
export type MetricReading = { readonly value: number } | { readonly count: number; readonly sum: number };

/** False: no such metric, labels that it does not have, or an operation that its kind cannot do. */
export interface MetricStore {
  increment(name: string, labels: Labels, by: number): boolean;
  decrement(name: string, labels: Labels, by: number): boolean;
  /** Sets a gauge or a counter, adds an observation to a histogram. */
  set(name: string, labels: Labels, value: number): boolean;
  get(name: string, labels: Labels): MetricReading | undefined;
}

/** No metric is declared. */
export const noMetrics: MetricStore = {
  increment: () => false,
  decrement: () => false,
  set: () => false,
  get: () => undefined,
};
