/**
 * Writes a table: entries in ascending order become blocks as they come, and everything that a
 * reader needs to find them follows at the end. Nothing is written by this module; whoever uses it
 * takes the bytes and appends them. They come in chunks of many blocks, since an array of its own
 * for each block costs more than to fill it.
 * The formats: `block.ts`, `filter.ts`, `index-block.ts`, `properties.ts`, `seal.ts`, `footer.ts`.
 */
import { assert } from "../../base/assert.ts";
import { EMPTY_BYTES, EMPTY_KEY } from "../../base/bytes.ts";
import type { Key } from "../../base/bytes.ts";
import { crc32 } from "../../base/checksum.ts";
import type { ColumnFamily } from "../types.ts";
import { filterKeyLength } from "../view.ts";
import { BlockBuilder } from "./block.ts";
import { FilterBuilder } from "./filter.ts";
import { FOOTER_BYTES, encodeFooter, tableSeed } from "./footer.ts";
import { IndexBuilder, blockStart } from "./index-block.ts";
import { encodeProperties } from "./properties.ts";
import { SEAL_BYTES, Sealer } from "./seal.ts";
import { TOMBSTONE } from "./types.ts";
import type { Clear, Entry, TableMeta, TableOptions } from "./types.ts";

/** Bytes that are handed over as one array: at first, and at most. */
const FIRST_CHUNK = 4 << 10;
const CHUNK_BYTES = 64 << 10;

/** For the tables of one writer after another; none where the options ask for no filter. */
export const filterBuilder = ({ filterBits }: TableOptions): FilterBuilder | undefined =>
  filterBits > 0 ? new FilterBuilder(filterBits) : undefined;

/** A finished table. */
export interface FinishedTable {
  /** What `take` has not given yet, in order. */
  readonly parts: readonly Uint8Array[];
  readonly meta: TableMeta;
}

export class TableWriter {
  private readonly number: number;
  private readonly cf: ColumnFamily;
  private readonly blockBytes: number;
  private readonly block: BlockBuilder;
  private readonly index: IndexBuilder = new IndexBuilder();
  private readonly filter: FilterBuilder | undefined;
  /** Of the data blocks. */
  private readonly sealer: Sealer;
  private readonly clears: Clear[] = [];
  private parts: Uint8Array[] = [];
  /** Where the newest bytes of the file are; those from `taken` on are in no part yet. */
  private chunk: Uint8Array = EMPTY_BYTES;
  private taken = 0;
  private filled = 0;
  /** Of all finished bytes. */
  private end = 0;
  /** Of all finished bytes; 0 where nobody wants it. */
  private crc = 0;
  private readonly travels: boolean;
  private entries = 0;
  private tombstones = 0;
  private smallest: Key = EMPTY_KEY;
  private lastKey: Key = EMPTY_KEY;
  /** Of the block that is being filled. */
  private start: Key = EMPTY_KEY;
  private isFinished = false;

  /**
   * `filter`, where one is wanted, is empty and of this writer until `finish`. Only of a table that
   * `travels` is the checksum of the whole file reckoned, which takes as long as a merge's other
   * work on its bytes: here every block has its own.
   */
  constructor(
    number: number,
    cf: ColumnFamily,
    options: TableOptions,
    filter: FilterBuilder | undefined = filterBuilder(options),
    travels: boolean = true,
  ) {
    assert(options.blockBytes > 0, "a block has room");
    this.number = number;
    this.cf = cf;
    this.blockBytes = options.blockBytes;
    this.block = new BlockBuilder(options.restartInterval);
    this.filter = filter;
    this.travels = travels;
    this.sealer = new Sealer(tableSeed(number), options.compression);
  }

  /** Bytes of the file if it ended here, about. */
  get size(): number {
    const rest = this.block.size + (this.filter?.size ?? 0) + this.index.size;
    return this.end + rest + 4 * SEAL_BYTES + FOOTER_BYTES;
  }

  /** `key` is greater than all before. Borrows `entry`. */
  add(key: Key, entry: Entry): void {
    assert(!this.isFinished, "nothing is added to a finished table");
    if (this.entries === 0) {
      this.smallest = key;
      this.start = key;
    } else {
      assert(key > this.lastKey, "the keys of a table ascend");
      if (this.block.isEmpty) this.start = blockStart(this.lastKey, key);
    }
    this.block.add(key, entry);
    this.filter?.add(key, filterKeyLength(this.cf, key));
    this.lastKey = key;
    this.entries += 1;
    if (entry === TOMBSTONE) this.tombstones += 1;
    if (this.block.size >= this.blockBytes) this.finishBlock();
  }

  /** A range whose start is not below the end of the one before. */
  clear(range: Clear): void {
    assert(!this.isFinished, "nothing is added to a finished table");
    const last = this.clears.at(-1);
    const isAbove = last === undefined || (last.end !== EMPTY_KEY && last.end <= range.start);
    assert(isAbove, "the clears of a table ascend and are disjoint");
    assert(range.end === EMPTY_KEY || range.start < range.end, "a clear holds keys");
    this.clears.push(range);
  }

  /** Finished parts of the file that were not taken yet, to be appended in this order. */
  take(): readonly Uint8Array[] {
    this.part();
    const { parts } = this;
    this.parts = [];
    return parts;
  }

  /** Ends the table. It holds something. */
  finish(): FinishedTable {
    assert(!this.isFinished, "a table is finished once");
    assert(this.entries + this.clears.length > 0, "a table holds an entry or a clear");
    this.isFinished = true;
    if (!this.block.isEmpty) this.finishBlock();
    const seed = tableSeed(this.number);
    const tail = new Sealer(seed, "none");
    const bounds = this.bounds();
    const dataSize = this.end;
    const filterSize = this.filter === undefined ? 0 : this.seal(tail, this.filter.finish());
    const indexSize = this.seal(tail, this.index.finish());
    const { cf, entries, tombstones, clears } = this;
    const properties = { cf, entries, tombstones, clears, ...bounds };
    const propertiesSize = this.seal(tail, encodeProperties(properties));
    const { number } = this;
    this.append(encodeFooter({ number, dataSize, filterSize, indexSize, propertiesSize }));
    const meta = { number, size: this.end, ...properties, crc32: this.crc };
    return { parts: this.take(), meta };
  }

  private finishBlock(): void {
    this.index.add(this.start, this.seal(this.sealer, this.block.finish()));
  }

  /** Size of the sealed block. */
  private seal(sealer: Sealer, block: Uint8Array): number {
    return this.append(sealer.seal(block, this.end));
  }

  /** Copies `bytes`, and gives their size. */
  private append(bytes: Uint8Array): number {
    const { length } = bytes;
    if (this.filled + length > this.chunk.length) this.makeRoom(length);
    this.chunk.set(bytes, this.filled);
    this.filled += length;
    this.end += length;
    if (this.travels) this.crc = crc32(bytes, 0, length, this.crc);
    return length;
  }

  /** A longer chunk, or the next one where it would be too long. */
  private makeRoom(length: number): void {
    const { chunk, filled } = this;
    const needed = filled + length;
    if (needed <= CHUNK_BYTES) {
      const doubled = Math.max(FIRST_CHUNK, needed, 2 * chunk.length);
      this.chunk = new Uint8Array(Math.min(doubled, CHUNK_BYTES));
      this.chunk.set(chunk.subarray(0, filled));
      return;
    }
    this.part();
    this.chunk = new Uint8Array(Math.max(CHUNK_BYTES, length));
    this.taken = 0;
    this.filled = 0;
  }

  /** Makes a part of what the chunk has that is in none. */
  private part(): void {
    const { chunk, taken, filled } = this;
    if (filled > taken) this.parts.push(chunk.subarray(taken, filled));
    this.taken = filled;
  }

  private bounds(): Pick<TableMeta, "smallest" | "largest" | "largestExclusive"> {
    const first = this.clears[0];
    const last = this.clears.at(-1);
    let { smallest } = this;
    if (first !== undefined && (this.entries === 0 || first.start < smallest))
      smallest = first.start;
    const clearsReachOn =
      last !== undefined &&
      (this.entries === 0 || last.end === EMPTY_KEY || last.end > this.lastKey);
    return clearsReachOn
      ? { smallest, largest: last.end, largestExclusive: true }
      : { smallest, largest: this.lastKey, largestExclusive: false };
  }
}
