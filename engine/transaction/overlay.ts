/** A view of data in which locks that are held in memory lie over those that were written. */
import { assert } from "../base/assert.ts";
import { EMPTY_KEY, type Key, keyAfter } from "../base/bytes.ts";
import * as tree from "../base/tree.ts";
import type { Tree } from "../base/tree.ts";
import { type Bounds, firstByCursor, type KvCursor, type KvView } from "../storage/view.ts";

/** `locks` are records by encoded key; they hide what `view` has at the same keys. */
export function withLocks(view: KvView, locks: Tree<Uint8Array>): KvView {
  if (locks.size === 0) return view;
  return {
    get: (cf, key) => (cf === "lock" ? tree.get(locks, key) : undefined) ?? view.get(cf, key),
    first: (cf, prefix, rest, settles) => {
      if (cf !== "lock") return view.first(cf, prefix, rest, settles);
      const bounds = { lower: prefix, upper: EMPTY_KEY };
      return firstByCursor(new LockCursor(view.cursor(cf, bounds), locks, bounds), prefix, rest);
    },
    cursor: (cf, bounds) => {
      const under = view.cursor(cf, bounds);
      return cf === "lock" ? new LockCursor(under, locks, bounds) : under;
    },
  };
}

/** Stands at the nearer one of two cursors that move in the same direction. */
class LockCursor implements KvCursor {
  readonly #under: KvCursor;
  readonly #locks: Tree<Uint8Array>;
  readonly #bounds: Bounds;
  /** Over the locks in memory; undefined outside the bounds. */
  #over: tree.Cursor<Uint8Array> | undefined;
  #at: { readonly key: Key; readonly value: Uint8Array } | undefined;

  constructor(under: KvCursor, locks: Tree<Uint8Array>, bounds: Bounds) {
    this.#under = under;
    this.#locks = locks;
    this.#bounds = bounds;
  }

  get valid(): boolean {
    return this.#at !== undefined;
  }

  get key(): Key {
    assert(this.#at !== undefined, "a cursor is read where it stands");
    return this.#at.key;
  }

  get value(): Uint8Array {
    assert(this.#at !== undefined, "a cursor is read where it stands");
    return this.#at.value;
  }

  seek(key: Key): void {
    const { lower, upper } = this.#bounds;
    this.#under.seek(key);
    const over = tree.seek(this.#locks, key > lower ? key : lower);
    const isInside = over.valid && (upper === EMPTY_KEY || over.key < upper);
    this.#over = isInside ? over : undefined;
    this.#stand((under, found) => found <= under);
  }

  seekBefore(key: Key): void {
    const { lower, upper } = this.#bounds;
    this.#under.seekBefore(key);
    const limited = upper !== EMPTY_KEY && (key === EMPTY_KEY || key > upper) ? upper : key;
    const over = tree.seekBefore(this.#locks, limited);
    this.#over = over.valid && over.key >= lower ? over : undefined;
    this.#stand((under, found) => found >= under);
  }

  next(): void {
    this.seek(keyAfter(this.key));
  }

  previous(): void {
    this.seekBefore(this.key);
  }

  #stand(isNearer: (under: Key, over: Key) => boolean): void {
    const under = this.#under;
    const over = this.#over;
    if (over !== undefined && (!under.valid || isNearer(under.key, over.key))) {
      this.#at = { key: over.key, value: over.value };
    } else {
      this.#at = under.valid ? { key: under.key, value: under.value } : undefined;
    }
  }
}
