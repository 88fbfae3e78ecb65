/** The metrics of a node in Prometheus' text format, filled from plain counters at each scrape. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { Metric } from "prom-client";
import type { Page } from "../status/http.ts";
import { BUCKETS } from "./latency.ts";
import type { LatencyTable } from "./latency.ts";

/** One sample of a family: its labels and value. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A family of samples that is asked for at each scrape. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly read: () => readonly Sample[];
}

export interface Families {
  add(family: Family): void;
  /** A histogram by `type` of what `table` has seen, and beside it a counter of failures. */
  addLatency(name: string, help: string, table: LatencyTable): void;
}

export interface Metrics extends Families {
  /** What `/metrics` answers. */
  page(): Promise<Page>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    ...familiesIn(registry),
    page: async () => ({
      status: 200,
      type: registry.contentType,
      body: await registry.metrics(),
    }),
  };
}

/** Families in a registry of somebody else's. */
export function familiesIn(registry: Registry): Families {
  return {
    add: (family) => addFamily(registry, family),
    addLatency(name, help, table) {
      registry.registerMetric(histogram(name, help, table));
      addFamily(registry, {
        name: name.replace(/_duration_seconds$/, "_fail_total"),
        help: `${help}: those that failed`,
        type: "counter",
        read: () =>
          [...table.entries()].map(([type, { failed }]) => ({ labels: { type }, value: failed })),
      });
    },
  };
}

function addFamily(registry: Registry, { name, help, type, read }: Family): void {
  const labelNames = new Set(read().flatMap(({ labels }) => Object.keys(labels ?? {})));
  // Families whose samples come later have the one label that all of ours have.
  if (labelNames.size === 0 && read().length === 0) labelNames.add("type");
  const options = { name, help, labelNames: [...labelNames], registers: [registry] };
  if (type === "counter") {
    const counter: Counter = new Counter({
      ...options,
      collect() {
        counter.reset();
        for (const { labels, value } of read()) counter.inc({ ...labels }, value);
      },
    });
  } else {
    const gauge: Gauge = new Gauge({
      ...options,
      collect() {
        gauge.reset();
        for (const { labels, value } of read()) gauge.set({ ...labels }, value);
      },
    });
  }
}

/** prom-client's histogram counts by itself at each observation: this one is only its shape. */
function histogram(name: string, help: string, table: LatencyTable): Metric {
  const get = (): Promise<object> => {
    const values: object[] = [];
    for (const [type, { buckets, sumSeconds, count }] of table.entries()) {
      let total = 0;
      for (const [i, bound] of [...BUCKETS, Number.POSITIVE_INFINITY].entries()) {
        total += buckets[i] ?? 0;
        const le = bound === Number.POSITIVE_INFINITY ? "+Inf" : bound;
        values.push({ metricName: `${name}_bucket`, labels: { type, le }, value: total });
      }
      values.push({ metricName: `${name}_sum`, labels: { type }, value: sumSeconds });
      values.push({ metricName: `${name}_count`, labels: { type }, value: count });
    }
    return Promise.resolve({ name, help, type: "histogram", values, aggregator: "sum" });
  };
  return { name, help, get, reset: () => undefined } as unknown as Metric;
}
