/**
 * What is remembered of the tables on the disk: open ones (index and filter) and their blocks, in
 * a bounded number of bytes. All reading of tables goes through here, and what reads meet that
 * cannot be trusted is noted here. Nothing that is decided depends on what is remembered.
 */
import type { Key } from "../../base/bytes.ts";
import type { DiskReader } from "../disk.ts";
import { filterKeyLength } from "../view.ts";
import { CORRUPT, blockWeight } from "./block-reader.ts";
import type { Block } from "./block-reader.ts";
import { Clock } from "./clock.ts";
import { Copies } from "./copies.ts";
import { TableCursor } from "./cursor.ts";
import type { BlockSource } from "./cursor.ts";
import { EntryHead } from "./entry-head.ts";
import { KeyHash, filterHas } from "./filter.ts";
import { OpenTable, damageOf, readBlock, readPartsOf, sealedSize } from "./open-table.ts";
import type { Flaw } from "./open-table.ts";
import { Spares, roomOf } from "./spares.ts";
import { StreamedBlocks } from "./stream.ts";
import type { ReadAhead } from "./stream.ts";
import { TOMBSTONE } from "./types.ts";
import type { Entry, EntryCursor, TableDamage, TableMeta } from "./types.ts";

/** So many copies of or from a block; then it is shared. */
const SHARED_FROM = 4;

export class TableCache {
  /** Blocks that were there when they were looked for. */
  hits = 0;
  /** Blocks that had to be read. */
  misses = 0;
  /** What is cached here. For reading whole files, which are not. */
  readonly disk: DiskReader;
  private readonly capacityBytes: number;
  private readonly tables: Map<number, OpenTable> = new Map();
  private readonly clock: Clock<OpenTable | Block> = new Clock();
  private readonly head: EntryHead = new EntryHead();
  private readonly hash: KeyHash = new KeyHash();
  private readonly spares: Spares = new Spares();
  private readonly copies: Copies = new Copies();
  /** What `hash` is of: one key is looked for in many tables, one after another. */
  private hashedKey: Key | undefined;
  private hashedLength = 0;
  private damage: TableDamage[] = [];

  /** A cache that takes up to `capacityBytes` of memory. */
  constructor(disk: DiskReader, capacityBytes: number) {
    this.disk = disk;
    this.capacityBytes = capacityBytes;
  }

  get usedBytes(): number {
    return this.clock.weight;
  }

  /**
   * The table's entry for `key`: the caller may keep it. Clears are not looked at. Undefined too
   * where damage keeps it from being known, which is noted.
   */
  get(meta: TableMeta, key: Key): Entry | undefined {
    const table = this.table(meta);
    if (table === undefined || !this.passes(table, key, filterKeyLength(meta.cf, key))) {
      return undefined;
    }
    const ordinal = table.index.find(key);
    if (ordinal < 0) return undefined;
    const block = this.block(table, ordinal);
    if (block === undefined) return undefined;
    const { head } = this;
    const value = block.find(key, head);
    if (value >= 0) {
      if (head.isTombstone) return TOMBSTONE;
      const { bytes } = block;
      return this.isShared(block)
        ? new Uint8Array(bytes.buffer, bytes.byteOffset + value, head.valueSize)
        : this.copies.of(bytes, value, value + head.valueSize);
    }
    if (value === CORRUPT) this.noteDisorder(table, ordinal);
    return undefined;
  }

  /** A cursor that stands nowhere yet. What it gives may be kept. */
  cursor(meta: TableMeta): EntryCursor {
    return new TableCursor(new CachedBlocks(this, meta));
  }

  /**
   * A cursor for going through the table once: its blocks are not remembered, and an entry is good
   * until the cursor moves. `ahead` is of one cursor at a time.
   */
  stream(meta: TableMeta, ahead: ReadAhead): EntryCursor {
    return new TableCursor(new StreamedBlocks(this, meta, ahead));
  }

  /** False where the table has no key whose filter key this is. */
  mayContain(meta: TableMeta, filterKey: Key): boolean {
    const table = this.table(meta);
    return table !== undefined && this.passes(table, filterKey, filterKey.length);
  }

  /** The table's file is gone, or about to go. */
  forget(number: number): void {
    const table = this.tables.get(number);
    if (table !== undefined) this.drop(table);
  }

  /** The damage that reads have met since the last call. */
  takeDamage(): readonly TableDamage[] {
    const { damage } = this;
    this.damage = [];
    return damage;
  }

  /** The table, opened where it is not. Undefined where that fails, which is noted. */
  table(meta: TableMeta): OpenTable | undefined {
    const known = this.tables.get(meta.number);
    if (known !== undefined) {
      known.used = true;
      return known;
    }
    const parts = readPartsOf(this.disk, meta);
    if (!parts.ok) {
      this.note(damageOf(meta, parts.flaw));
      return undefined;
    }
    const table = new OpenTable(meta, parts.value);
    this.tables.set(meta.number, table);
    this.clock.add(table);
    this.shrink(0);
    return table;
  }

  /**
   * A block of an open table, good until the cache is asked for another. Undefined where it cannot
   * be read, which is noted.
   */
  block(table: OpenTable, ordinal: number): Block | undefined {
    const known = table.blocks[ordinal];
    if (known !== undefined) {
      this.hits += 1;
      known.used = true;
      return known;
    }
    this.misses += 1;
    const room = this.roomFor(sealedSize(table.index, ordinal));
    const read = readBlock(this.disk, table.meta.number, table, ordinal, this.head, room);
    if (!read.ok) {
      this.spares.give(room);
      this.noteFlaw(table, ordinal, read.flaw);
      return undefined;
    }
    const block = read.value;
    // What was compressed lies elsewhere now.
    if (block.bytes !== room) this.spares.give(room);
    this.remember(table, block);
    return block;
  }

  /** As `block`, good for ever. */
  copied(table: OpenTable, ordinal: number): Block | undefined {
    const block = this.block(table, ordinal);
    return block === undefined || this.isShared(block) ? block : block.copied(this.copies);
  }

  /**
   * Whether views of the block may leave the cache. One that is wanted again and again will stay:
   * copying from it would cost more than to leave it to the collector one day.
   */
  private isShared(block: Block): boolean {
    if (block.copies >= SHARED_FROM) return true;
    block.copies += 1;
    return false;
  }

  /** What is read next may lie where this block did, unless somebody has a view of it. */
  private reuse(block: Block): void {
    if (block.copies < SHARED_FROM) this.spares.give(block.bytes);
  }

  /** Notes what is wrong with a block of the table. */
  noteFlaw(table: OpenTable, ordinal: number, flaw: Flaw): void {
    this.note(damageOf(table.meta, flaw, table.index, ordinal));
  }

  /** Notes that a block which passed its checksum is not in order. */
  noteDisorder(table: OpenTable, ordinal: number): void {
    const offset = table.index.offsets[ordinal]!;
    const detail = "the entries of the block are out of order";
    this.noteFlaw(table, ordinal, { offset, reason: "corrupt", detail });
  }

  private passes(table: OpenTable, key: Key, length: number): boolean {
    const { filter } = table;
    if (filter === undefined) return true;
    if (key !== this.hashedKey || length !== this.hashedLength) {
      this.hash.of(key, length);
      this.hashedKey = key;
      this.hashedLength = length;
    }
    return filterHas(filter, table.filterSize, this.hash);
  }

  /** Once, however often it is met. */
  private note(damage: TableDamage): void {
    const isKnown = this.damage.some(
      ({ table, offset }) => table === damage.table && offset === damage.offset,
    );
    if (!isKnown) this.damage.push(damage);
  }

  /** An array for a block of so many bytes; what it drives out leaves now. */
  private roomFor(size: number): Uint8Array {
    this.shrink(blockWeight(roomOf(size)));
    return this.spares.take(size);
  }

  private remember(table: OpenTable, block: Block): void {
    this.shrink(block.weight);
    // A cursor may outlive the place of its table; and there may be less room than this in all.
    if (table.place < 0 || this.clock.weight + block.weight > this.capacityBytes) return;
    table.blocks[block.ordinal] = block;
    this.clock.add(block);
  }

  /** Drops things until there is room for `weight` more, or nothing left. */
  private shrink(weight: number): void {
    while (this.clock.weight > 0 && this.clock.weight + weight > this.capacityBytes) {
      const victim = this.clock.victim();
      if (victim instanceof OpenTable) this.drop(victim);
      else this.dropBlock(victim);
    }
  }

  private dropBlock(block: Block): void {
    this.clock.remove(block);
    this.reuse(block);
    this.tables.get(block.table)!.blocks[block.ordinal] = undefined;
  }

  private drop(table: OpenTable): void {
    this.tables.delete(table.meta.number);
    this.clock.remove(table);
    for (const [ordinal, block] of table.blocks.entries()) {
      if (block === undefined) continue;
      this.clock.remove(block);
      this.reuse(block);
      table.blocks[ordinal] = undefined;
    }
  }
}

/** One table's blocks as a cursor asks for them. */
class CachedBlocks implements BlockSource {
  private readonly cache: TableCache;
  private readonly meta: TableMeta;
  private table: OpenTable | undefined;

  constructor(cache: TableCache, meta: TableMeta) {
    this.cache = cache;
    this.meta = meta;
  }

  index(): OpenTable["index"] | undefined {
    this.table = this.cache.table(this.meta);
    return this.table?.index;
  }

  block(ordinal: number): Block | undefined {
    const table = this.table!;
    table.used = true;
    return this.cache.copied(table, ordinal);
  }

  corrupt(ordinal: number): void {
    this.cache.noteDisorder(this.table!, ordinal);
  }
}
