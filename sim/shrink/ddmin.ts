/**
 * Delta debugging: which of many things are needed? Parts are left out, halves first, then ever
 * smaller ones (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002;
 * only complements are tried, as a part alone seldom fails).
 */

/** Which of several candidates is the first that still fails; -1 where none does. */
export type FirstFailing<T> = (candidates: readonly (readonly T[])[]) => Promise<number>;

/** The items without which nothing fails, in their order. `items` themselves do fail. */
export async function needed<T>(
  items: readonly T[],
  firstFailing: FirstFailing<T>,
): Promise<readonly T[]> {
  if (items.length === 0 || (await firstFailing([[]])) === 0) return [];
  let left = items;
  let parts = 2;
  while (left.length > 1) {
    const size = Math.ceil(left.length / parts);
    const candidates: (readonly T[])[] = [];
    for (let from = 0; from < left.length; from += size) {
      candidates.push([...left.slice(0, from), ...left.slice(from + size)]);
    }
    const at = await firstFailing(candidates);
    if (at >= 0) {
      left = candidates[at] as readonly T[];
      parts = Math.max(2, parts - 1);
    } else if (size === 1) {
      return left;
    } else {
      parts = Math.min(left.length, parts * 2);
    }
  }
  return left;
}
