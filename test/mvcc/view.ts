/**
 * A view that counts what is asked of it.
 */
import type { Key } from "../../engine/base/bytes.ts";
import type { ColumnFamily } from "../../engine/storage/types.ts";
import type { Bounds, KvCursor, KvVersion, KvView } from "../../engine/storage/view.ts";

/** What a read cost. */
export interface Cost {
  gets: number;
  seeks: number;
  steps: number;
}

export class CountingView implements KvView {
  readonly cost: Cost = { gets: 0, seeks: 0, steps: 0 };
  private readonly view: KvView;

  constructor(view: KvView) {
    this.view = view;
  }

  get(cf: ColumnFamily, key: Key): Uint8Array | undefined {
    this.cost.gets += 1;
    return this.view.get(cf, key);
  }

  first(
    cf: ColumnFamily,
    prefix: Key,
    rest: Key,
    settles?: (value: Uint8Array) => boolean,
  ): KvVersion | undefined {
    this.cost.seeks += 1;
    return this.view.first(cf, prefix, rest, settles);
  }

  cursor(cf: ColumnFamily, bounds: Bounds): KvCursor {
    const { cost } = this;
    const cursor = this.view.cursor(cf, bounds);
    return {
      get valid() {
        return cursor.valid;
      },
      get key() {
        return cursor.key;
      },
      get value() {
        return cursor.value;
      },
      seek(key) {
        cost.seeks += 1;
        cursor.seek(key);
      },
      seekBefore(key) {
        cost.seeks += 1;
        cursor.seekBefore(key);
      },
      next() {
        cost.steps += 1;
        cursor.next();
      },
      previous() {
        cost.steps += 1;
        cursor.previous();
      },
    };
  }
}
