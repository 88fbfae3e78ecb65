/**
 * Counts and durations of calls by method, kept as plain numbers: an observation costs some tens of
 * nanoseconds, and Prometheus' shapes are made only when somebody scrapes.
 */

/**
 * Upper bounds in seconds, as TiKV's histograms of calls have them: from half a millisecond,
 * doubling.
 */
export const BUCKETS: readonly number[] = Array.from({ length: 20 }, (_, i) => 0.0005 * 2 ** i);

export interface MethodLatency {
  /**
   * Observations up to each bound of `BUCKETS`, not cumulative; the last is what lies beyond all.
   */
  readonly buckets: number[];
  sumSeconds: number;
  count: number;
  /** Calls that ended with a status other than OK. */
  failed: number;
}

export class LatencyTable {
  readonly #methods = new Map<string, MethodLatency>();

  observe(method: string, milliseconds: number, failed: boolean): void {
    let entry = this.#methods.get(method);
    if (entry === undefined) {
      const buckets = Array.from({ length: BUCKETS.length + 1 }, () => 0);
      entry = { buckets, sumSeconds: 0, count: 0, failed: 0 };
      this.#methods.set(method, entry);
    }
    const seconds = milliseconds / 1000;
    let i = 0;
    while (i < BUCKETS.length && seconds > (BUCKETS[i] ?? 0)) i += 1;
    entry.buckets[i] = (entry.buckets[i] ?? 0) + 1;
    entry.sumSeconds += seconds;
    entry.count += 1;
    if (failed) entry.failed += 1;
  }

  entries(): IterableIterator<[string, MethodLatency]> {
    return this.#methods.entries();
  }
}
