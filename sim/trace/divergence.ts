/**
 * Comparing two runs that should be the same: the first event after which their hashes differ. One
 * final value would only say that something differs somewhere.
 */

/** The number (from 1) of the first event that differs, or undefined where the runs are equal. */
export function firstDivergence(a: readonly number[], b: readonly number[]): number | undefined {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return i + 1;
  }
  return a.length === b.length ? undefined : length + 1;
}
