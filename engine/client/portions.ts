/** Requests of a size that is easy to move: as other clients divide what goes to one region. */

const PORTION_BYTES = 16 * 1024;
const PORTION_ITEMS = 512;

/** `items` in their order, cut so that none but the last item of a portion goes over the size. */
export function portions<T>(
  items: readonly T[],
  sizeOf: (item: T) => number,
): readonly (readonly T[])[] {
  const parts: T[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const item of items) {
    if (size >= PORTION_BYTES || (parts.at(-1)?.length ?? 0) >= PORTION_ITEMS) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(item);
    size += sizeOf(item);
  }
  return parts;
}
