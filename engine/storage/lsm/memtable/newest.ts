/**
 * Where the newest version of each key of a memtable's `write` family lies, by the key's hash. A
 * descent through the tree touches some twenty nodes and strings that lie anywhere, which no cache
 * of the processor has where the memtable is large; this touches a bucket, and the value with its
 * key before it.
 *
 * Shared by all memtables that come of one another, as their arena is, but true of one of them
 * only: the one whose `moment` is that of the index. An edit takes the index with it when it
 * begins; who reads the memtable that it began with asks the tree from then on, and so does every
 * memtable that comes of a second edit of the same one.
 *
 * It has the smallest key of each filter key that was ever put or deleted. When that is deleted its
 * neighbour is not known: the index is unsure until a smaller key is put, or the same again.
 */
import { EMPTY_BYTES } from "../../../base/bytes.ts";
import type { Key } from "../../../base/bytes.ts";
import { KeyHash } from "../../table/filter.ts";
import { filterKeyLength } from "../../view.ts";
import { keepWithKey, keptBeginsWith, keptPrecedes } from "./arena.ts";
import type { Arena, Slot } from "./arena.ts";

/** What a filter key takes. */
export const NEWEST_BYTES = 16;

/** Told where there is no entry. */
export const NONE = 0;
/** Told where the tree has to be asked. */
export const UNSURE = -1;

const FIRST_BUCKETS = 32;
/** Of the buckets. */
const MOST_TAKEN = 3 / 4;
/** Steps to an empty bucket that mean that somebody has chosen keys to collide. */
const MOST_STEPS = 128;
const MAX_SLOT = 2 ** 31 - 1;

export class Newest {
  /** Counts the edits that have changed it. */
  moment = 0;
  private readonly arena: Arena;
  private readonly hash: KeyHash = new KeyHash();
  /**
   * Two numbers each: a hash, and the slot of the newest version; negative where that is deleted, 0
   * where the bucket is empty.
   */
  private buckets: Int32Array = new Int32Array(2 * FIRST_BUCKETS);
  private count = 0;
  /** Whether it has given up, and is unsure of everything. */
  private isOverrun = false;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /**
   * The slot of the newest version of the filter key that is the first `length` bytes of `key`; or
   * `NONE`, or `UNSURE`.
   */
  find(key: Key, length: number): Slot {
    if (this.count === 0) return NONE;
    const bucket = this.bucketOf(key, length);
    return this.isOverrun ? UNSURE : Math.max(this.buckets[bucket + 1]!, UNSURE);
  }

  /**
   * The tree has the value that was kept with its key at `slot`. Returns whether no version of this
   * key was known.
   */
  put(key: Key, slot: Slot): boolean {
    const length = filterKeyLength("write", key);
    const bucket = this.bucketOf(key, length);
    if (slot > MAX_SLOT) this.isOverrun = true;
    if (this.isOverrun) return false;
    const known = Math.abs(this.buckets[bucket + 1]!);
    if (known === NONE) {
      this.add(bucket, slot);
      return true;
    }
    if (!keptPrecedes(this.arena, known, key, length)) this.buckets[bucket + 1] = slot;
    return false;
  }

  /** The tree has nothing at `key` any more, or a tombstone. */
  delete(key: Key): void {
    const length = filterKeyLength("write", key);
    const bucket = this.bucketOf(key, length);
    if (this.isOverrun) return;
    const known = Math.abs(this.buckets[bucket + 1]!);
    if (known !== NONE && keptPrecedes(this.arena, known, key, length)) return;
    const slot = keepWithKey(this.arena, key, EMPTY_BYTES);
    if (slot > MAX_SLOT) this.isOverrun = true;
    else if (known === NONE) this.add(bucket, -slot);
    else this.buckets[bucket + 1] = -slot;
  }

  /** Where the filter key that is the first `length` bytes of `key` is, or would be. */
  private bucketOf(key: Key, length: number): number {
    const { arena, buckets, hash } = this;
    hash.of(key, length);
    const mask = buckets.length - 2;
    let bucket = (hash.line << 1) & mask;
    for (let step = 1; step <= MOST_STEPS; step++) {
      const slot = buckets[bucket + 1]!;
      if (slot === NONE) return bucket;
      if (buckets[bucket] === hash.line) {
        const known = Math.abs(slot);
        if (keptBeginsWith(arena, known, key, length)) return bucket;
      }
      bucket = (bucket + 2 * step) & mask;
    }
    this.isOverrun = true;
    return bucket;
  }

  private add(bucket: number, slot: Slot): void {
    this.buckets[bucket] = this.hash.line;
    this.buckets[bucket + 1] = slot;
    this.count += 1;
    if (2 * this.count > MOST_TAKEN * this.buckets.length) this.grow();
  }

  /** Twice as many buckets. */
  private grow(): void {
    const before = this.buckets;
    const buckets = new Int32Array(2 * before.length);
    const mask = buckets.length - 2;
    for (let from = 0; from < before.length; from += 2) {
      if (before[from + 1] === NONE) continue;
      let bucket = (before[from]! << 1) & mask;
      for (let step = 1; buckets[bucket + 1] !== NONE; step++) bucket = (bucket + 2 * step) & mask;
      buckets[bucket] = before[from]!;
      buckets[bucket + 1] = before[from + 1]!;
    }
    this.buckets = buckets;
  }
}
