/**
 * What a transaction has written and not committed yet, over what its snapshot shows.
 */
import { EMPTY_KEY, type Key } from "../base/bytes.ts";
import * as tree from "../base/tree.ts";
import type { Tree } from "../base/tree.ts";
import type { PageRequest } from "./snapshot.ts";

export type Write =
  | { readonly type: "put"; readonly value: Uint8Array }
  /** A put that fails the transaction where the key exists. */
  | { readonly type: "insert"; readonly value: Uint8Array }
  | { readonly type: "delete" }
  /** Nothing changes, but nobody else may have changed it. */
  | { readonly type: "lock" };

export class Buffer {
  #writes: Tree<Write> = tree.empty();

  get size(): number {
    return this.#writes.size;
  }

  set(key: Key, write: Write): void {
    const before = tree.get(this.#writes, key);
    // A key that was inserted and deleted again must still not have existed before.
    if (write.type === "lock" && before !== undefined) return;
    const insert = before?.type === "insert" && write.type === "put";
    const kept = insert ? ({ type: "insert", value: write.value } as const) : write;
    this.#writes = tree.set(this.#writes, key, kept);
  }

  get(key: Key): Write | undefined {
    return tree.get(this.#writes, key);
  }

  /** In ascending order of keys. */
  entries(): IterableIterator<readonly [Key, Write]> {
    return tree.entries(this.#writes);
  }

  /** The snapshot's pairs of a range as they look through the buffer, in the scan's order. */
  over(
    pairs: readonly (readonly [Key, Uint8Array])[],
    { lower, upper, reverse, keysOnly }: PageRequest,
  ): readonly (readonly [Key, Uint8Array])[] {
    const merged = new Map(pairs);
    for (const [key, write] of tree.entries(this.#writes, lower, upper)) {
      if (write.type === "delete") merged.delete(key);
      else if (write.type !== "lock") merged.set(key, keysOnly ? EMPTY : write.value);
    }
    const sorted = [...merged].sort(([a], [b]) => (a < b ? -1 : 1));
    return reverse ? sorted.reverse() : sorted;
  }
}

const EMPTY = new Uint8Array(0);

/** The range that a page of a scan has looked at. */
export function coveredBy(request: PageRequest, next: Key | undefined): PageRequest {
  if (next === undefined) return request;
  return request.reverse ? { ...request, lower: next } : { ...request, upper: next };
}

/** Whether [lower, upper) holds nothing. */
export const isEmptyRange = ({ lower, upper }: PageRequest): boolean =>
  upper !== EMPTY_KEY && lower >= upper;
