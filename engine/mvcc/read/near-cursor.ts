/**
 * A cursor that is moved to places that are mostly near: it takes a few steps before it seeks,
 * for a step costs a fraction of a seek, and a seek never costs more however much lies between.
 */
import type { Key } from "../../base/bytes.ts";
import type { KvCursor } from "../../storage/view.ts";

/** As many steps cost about as much as one seek. */
export const NEAR_STEPS = 8;

export class NearCursor {
  private readonly cursor: KvCursor;

  constructor(cursor: KvCursor) {
    this.cursor = cursor;
  }

  get valid(): boolean {
    return this.cursor.valid;
  }

  get key(): Key {
    return this.cursor.key;
  }

  get value(): Uint8Array {
    return this.cursor.value;
  }

  next(): void {
    this.cursor.next();
  }

  previous(): void {
    this.cursor.previous();
  }

  /** To the first key >= `key`, from anywhere. */
  seek(key: Key): void {
    this.cursor.seek(key);
  }

  /** To the last key < `key`, from anywhere; an empty key is no bound. */
  seekBefore(key: Key): void {
    this.cursor.seekBefore(key);
  }

  /** To the first key >= `key`, which is not before where the cursor stands, if it stands. */
  forwardTo(key: Key): void {
    const { cursor } = this;
    for (let steps = 0; steps < NEAR_STEPS; steps++) {
      if (!cursor.valid || cursor.key >= key) return;
      cursor.next();
    }
    if (cursor.valid && cursor.key < key) cursor.seek(key);
  }

  /** To the last key < `key`, which is not behind where the cursor stands, if it stands. */
  backwardBefore(key: Key): void {
    const { cursor } = this;
    for (let steps = 0; steps < NEAR_STEPS; steps++) {
      if (!cursor.valid || cursor.key < key) return;
      cursor.previous();
    }
    if (cursor.valid && cursor.key >= key) cursor.seekBefore(key);
  }
}
