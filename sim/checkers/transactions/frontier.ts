/**
 * Real time as few edges as say all of it: of everything that ended before something began, only
 * the latest, those which nothing lies behind.
 */

export interface Span {
  readonly begin: number;
  /** Infinity where it never ended. Not before `begin`. */
  readonly end: number;
}

/**
 * For each span those that ended before it began, without those that ended before one of these
 * began. Their number is at most that of spans which are open at once.
 */
export function frontiers(spans: readonly Span[]): readonly (readonly number[])[] {
  const indices = spans.map((_, i) => i);
  const begins = [...indices].sort((a, b) => time(spans, a, "begin") - time(spans, b, "begin"));
  const ends = indices
    .filter((i) => time(spans, i, "end") < Infinity)
    .sort((a, b) => time(spans, a, "end") - time(spans, b, "end"));
  const before: (readonly number[])[] = spans.map(() => []);
  let latest: readonly number[] = [];
  let ended = 0;
  for (const i of begins) {
    const begin = time(spans, i, "begin");
    for (; ended < ends.length; ended++) {
      const last = ends[ended] as number;
      // What ends in the moment in which another begins is not before it.
      if (time(spans, last, "end") >= begin) break;
      const covered = new Set(before[last]);
      latest = [...latest.filter((one) => !covered.has(one)), last];
    }
    before[i] = latest;
  }
  return before;
}

const time = (spans: readonly Span[], i: number, which: keyof Span): number =>
  (spans[i] as Span)[which];
