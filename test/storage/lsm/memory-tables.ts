/**
 * Tables that are arrays, for tests of what reads them. Their cursors insist on being used as the
 * contract says.
 */
import { EMPTY_KEY } from "../../../engine/base/bytes.ts";
import type { Key } from "../../../engine/base/bytes.ts";
import type { TableReader } from "../../../engine/storage/lsm/reading/stack.ts";
import type { Clear, Entry, EntryCursor, TableMeta } from "../../../engine/storage/table/types.ts";
import type { ColumnFamily } from "../../../engine/storage/types.ts";
import { filterKey } from "../../../engine/storage/view.ts";

export type Pair = readonly [Key, Entry];

export class MemoryTables implements TableReader {
  private readonly pairs = new Map<number, readonly Pair[]>();
  /** Tables a cursor has been made for, in order. */
  readonly opened: number[] = [];

  /** A table with these entries and clears, both ascending and at least one of them not empty. */
  add(cf: ColumnFamily, pairs: readonly Pair[], clears: readonly Clear[]): TableMeta {
    const number = this.pairs.size + 1;
    this.pairs.set(number, pairs);
    const lastKey = pairs.at(-1)?.[0];
    const lastClear = clears.at(-1);
    const isExclusive =
      lastClear !== undefined &&
      (lastClear.end === EMPTY_KEY || lastKey === undefined || lastClear.end > lastKey);
    const starts = [pairs[0]?.[0], clears[0]?.start].filter((key) => key !== undefined);
    return {
      number,
      cf,
      size: 1,
      entries: pairs.length,
      tombstones: pairs.filter(([, entry]) => entry === 0).length,
      clears,
      smallest: starts.reduce((a, b) => (a < b ? a : b)),
      largest: isExclusive ? lastClear.end : (lastKey ?? EMPTY_KEY),
      largestExclusive: isExclusive,
      crc32: 0,
    };
  }

  get({ number }: TableMeta, key: Key): Entry | undefined {
    return this.pairsOf(number).find(([other]) => other === key)?.[1];
  }

  cursor({ number }: TableMeta): EntryCursor {
    this.opened.push(number);
    return new ArrayCursor(this.pairsOf(number));
  }

  mayContain({ number, cf }: TableMeta, wanted: Key): boolean {
    return this.pairsOf(number).some(([key]) => filterKey(cf, key) === wanted);
  }

  private pairsOf(number: number): readonly Pair[] {
    const pairs = this.pairs.get(number);
    if (pairs === undefined) throw new Error(`there is no table ${number}`);
    return pairs;
  }
}

class ArrayCursor implements EntryCursor {
  private readonly pairs: readonly Pair[];
  private at = -1;

  constructor(pairs: readonly Pair[]) {
    this.pairs = pairs;
  }

  get valid(): boolean {
    return this.at >= 0 && this.at < this.pairs.length;
  }

  get key(): Key {
    return this.here()[0];
  }

  get entry(): Entry {
    return this.here()[1];
  }

  seek(key: Key): void {
    const at = this.pairs.findIndex(([other]) => other >= key);
    this.at = at === -1 ? this.pairs.length : at;
  }

  seekBefore(key: Key): void {
    this.at =
      key === EMPTY_KEY
        ? this.pairs.length - 1
        : this.pairs.findLastIndex(([other]) => other < key);
  }

  next(): void {
    this.here();
    this.at += 1;
  }

  previous(): void {
    this.here();
    this.at -= 1;
  }

  private here(): Pair {
    const pair = this.pairs[this.at];
    if (pair === undefined) throw new Error("a cursor is used where it is not valid");
    return pair;
  }
}
