/**
 * One sequence of many: for each key the entry of the newest source that has one, in order, both
 * ways. What a clear of a newer source hides is leapt over, not stepped through.
 *
 * The source that is ahead stays outside the heap of the others: as long as it stays ahead, a step
 * is a step of that source and one comparison.
 */
import { assert } from "../../../base/assert.ts";
import { EMPTY_KEY } from "../../../base/bytes.ts";
import type { Key } from "../../../base/bytes.ts";
import type { Clear, Entry, EntryCursor } from "../../table/types.ts";
import { ClearFinder } from "../clears.ts";

/** One source of a merge, and the union of the clears of all that are newer. */
export interface MergeInput {
  readonly cursor: EntryCursor;
  readonly hidden: readonly Clear[];
}

export class MergeCursor implements EntryCursor {
  private readonly sources: readonly Source[];
  /** Sources at an entry, but for `ahead`, as a binary heap. */
  private readonly heap: Source[] = [];
  /** The source whose entry this cursor stands at. */
  private ahead: Source | undefined;
  /**
   * Forward, each source stands at its first visible key from here on, and the least is ahead;
   * backward at its last one up to here, and the greatest is ahead. Of equal keys the newest is.
   */
  private forward = true;

  /** Newest first. */
  constructor(inputs: readonly MergeInput[]) {
    this.sources = inputs.map((input, age) => new Source(input, age));
  }

  get valid(): boolean {
    return this.ahead !== undefined;
  }

  get key(): Key {
    return this.ahead!.key;
  }

  get entry(): Entry {
    return this.ahead!.cursor.entry;
  }

  seek(key: Key): void {
    this.forward = true;
    for (const source of this.sources) source.seek(key);
    this.ahead = this.gather(undefined);
  }

  seekBefore(key: Key): void {
    this.forward = false;
    for (const source of this.sources) source.seekBefore(key);
    this.ahead = this.gather(undefined);
  }

  next(): void {
    const { ahead } = this;
    assert(ahead !== undefined, "a step is made from an entry");
    if (!this.forward) this.turn(ahead, true);
    this.pass(ahead.key);
    ahead.next();
    this.settle(ahead);
  }

  previous(): void {
    const { ahead } = this;
    assert(ahead !== undefined, "a step is made from an entry");
    if (this.forward) this.turn(ahead, false);
    this.pass(ahead.key);
    ahead.previous();
    this.settle(ahead);
  }

  /** Brings all other sources to the other side of the key of `ahead`. */
  private turn(ahead: Source, forward: boolean): void {
    this.forward = forward;
    for (const source of this.sources) {
      if (source !== ahead) source.turn(ahead.key, forward);
    }
    this.gather(ahead);
  }

  /** Fills the heap with all sources but `ahead`; where that is undefined, takes the first out. */
  private gather(ahead: Source | undefined): Source | undefined {
    const { heap, sources } = this;
    heap.length = 0;
    for (const source of sources) if (source.valid && source !== ahead) heap.push(source);
    for (let i = (heap.length >>> 1) - 1; i >= 0; i--) this.sink(i);
    return ahead ?? this.pop();
  }

  /** Moves older sources on that have the same key. */
  private pass(key: Key): void {
    const { heap, forward } = this;
    for (let top = heap[0]; top !== undefined && top.key === key; top = heap[0]) {
      if (forward) top.next();
      else top.previous();
      if (top.valid) this.sink(0);
      else this.pop();
    }
  }

  /** Finds who is ahead after `ahead` has moved. */
  private settle(ahead: Source): void {
    const { heap } = this;
    const top = heap[0];
    if (!ahead.valid) {
      this.ahead = this.pop();
    } else if (top !== undefined && this.isBefore(top, ahead)) {
      heap[0] = ahead;
      this.sink(0);
      this.ahead = top;
    }
  }

  private pop(): Source | undefined {
    const { heap } = this;
    const top = heap[0];
    const last = heap.pop();
    if (last !== undefined && last !== top) {
      heap[0] = last;
      this.sink(0);
    }
    return top;
  }

  private sink(from: number): void {
    const { heap } = this;
    const { length } = heap;
    const source = heap[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && this.isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!this.isBefore(heap[child]!, source)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = source;
  }

  private isBefore(a: Source, b: Source): boolean {
    const less = a.key < b.key;
    if (this.forward) return less || (a.age < b.age && a.key === b.key);
    return !less && (a.age < b.age || a.key !== b.key);
  }
}

/** A cursor that shows what newer clears have left of a source, and remembers its key. */
class Source {
  readonly cursor: EntryCursor;
  /** Sources that are newer have less. */
  readonly age: number;
  valid = false;
  key: Key = EMPTY_KEY;
  private readonly hidden: ClearFinder | undefined;

  constructor({ cursor, hidden }: MergeInput, age: number) {
    this.cursor = cursor;
    this.age = age;
    this.hidden = hidden.length === 0 ? undefined : new ClearFinder(hidden);
  }

  /** What a clear hides is not even looked at: it may be damaged. */
  seek(key: Key): void {
    const clear = this.hidden?.covering(key);
    this.valid = false;
    if (clear?.end === EMPTY_KEY) return;
    this.cursor.seek(clear?.end ?? key);
    this.settleForward();
  }

  seekBefore(key: Key): void {
    const clear = this.hidden?.coveringBefore(key);
    this.valid = false;
    if (clear?.start === EMPTY_KEY) return;
    this.cursor.seekBefore(clear?.start ?? key);
    this.settleBackward();
  }

  next(): void {
    this.cursor.next();
    this.settleForward();
  }

  previous(): void {
    this.cursor.previous();
    this.settleBackward();
  }

  /**
   * From the first key at or behind `key` to the last one before it, or the other way round: there
   * from the last key at or before it to the first one behind, or at it where that was passed.
   */
  turn(key: Key, forward: boolean): void {
    if (forward) {
      if (this.valid) this.next();
      else this.seek(key);
    } else if (this.valid) {
      this.previous();
    } else if (key === EMPTY_KEY) {
      this.valid = false;
    } else {
      this.seekBefore(key);
    }
  }

  private settleForward(): void {
    const { cursor, hidden } = this;
    while (cursor.valid) {
      this.key = cursor.key;
      const clear = hidden?.covering(this.key);
      if (clear === undefined) {
        this.valid = true;
        return;
      }
      if (clear.end === EMPTY_KEY) break;
      cursor.seek(clear.end);
    }
    this.valid = false;
  }

  private settleBackward(): void {
    const { cursor, hidden } = this;
    while (cursor.valid) {
      this.key = cursor.key;
      const clear = hidden?.covering(this.key);
      if (clear === undefined) {
        this.valid = true;
        return;
      }
      if (clear.start === EMPTY_KEY) break;
      cursor.seekBefore(clear.start);
    }
    this.valid = false;
  }
}
