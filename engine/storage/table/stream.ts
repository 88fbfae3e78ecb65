/**
 * A table's blocks for somebody who goes through all of them once: many are read at a time, into
 * the same array again and again, and none is remembered. Left to the collector, what a merge has
 * read lay there by the ten megabytes.
 */
import type { DiskReader } from "../disk.ts";
import type { Block } from "./block-reader.ts";
import type { BlockSource } from "./cursor.ts";
import { EntryHead } from "./entry-head.ts";
import { tableFile } from "./file.ts";
import { openBlock, readBlock, sealedSize } from "./open-table.ts";
import type { Flaw, OpenTable } from "./open-table.ts";
import { EMPTY_BYTES } from "../../base/bytes.ts";
import type { TableMeta } from "./types.ts";

/** Bytes that are asked for at once, unless a block is larger. */
const AHEAD_BYTES = 64 << 10;

/** Opens tables, and is told what is wrong with them. */
export interface Tables {
  readonly disk: DiskReader;
  table(meta: TableMeta): OpenTable | undefined;
  noteFlaw(table: OpenTable, ordinal: number, flaw: Flaw): void;
  noteDisorder(table: OpenTable, ordinal: number): void;
}

/** Where a stream reads to; for one table after another. Small as long as they are. */
export class ReadAhead {
  bytes: Uint8Array = EMPTY_BYTES;

  /** Makes room for so many bytes. */
  reserve(size: number): void {
    const { length } = this.bytes;
    if (length >= size) return;
    this.bytes = new Uint8Array(Math.max(size, Math.min(2 * length, AHEAD_BYTES)));
  }
}

/** A block, and the entries that a cursor makes of it, are good until another one is asked for. */
export class StreamedBlocks implements BlockSource {
  private readonly tables: Tables;
  private readonly meta: TableMeta;
  private readonly head: EntryHead = new EntryHead();
  private table: OpenTable | undefined;
  /** Holds [start, end) of the file. */
  private readonly ahead: ReadAhead;
  private start = 0;
  private end = 0;

  constructor(tables: Tables, meta: TableMeta, ahead: ReadAhead) {
    this.tables = tables;
    this.meta = meta;
    this.ahead = ahead;
  }

  index(): OpenTable["index"] | undefined {
    this.table = this.tables.table(this.meta);
    return this.table?.index;
  }

  block(ordinal: number): Block | undefined {
    const table = this.table!;
    const { number } = this.meta;
    const sealed = this.sealed(table, ordinal);
    // Where many blocks could not be read at once, perhaps this one can.
    const read =
      sealed === undefined
        ? readBlock(this.tables.disk, number, table, ordinal, this.head)
        : openBlock(number, table, ordinal, this.head, sealed);
    if (read.ok) return read.value;
    this.tables.noteFlaw(table, ordinal, read.flaw);
    return undefined;
  }

  corrupt(ordinal: number): void {
    this.tables.noteDisorder(this.table!, ordinal);
  }

  /** The bytes of the block as they lie in the file; undefined where they could not be read. */
  private sealed(table: OpenTable, ordinal: number): Uint8Array | undefined {
    const { ahead } = this;
    const { index } = table;
    const offset = index.offsets[ordinal]!;
    const size = sealedSize(index, ordinal);
    if (offset < this.start || offset + size > this.end) {
      const wanted = Math.min(Math.max(AHEAD_BYTES, size), index.offsets[index.count]! - offset);
      ahead.reserve(wanted);
      const file = tableFile(this.meta.number);
      const read = this.tables.disk.readInto(file, offset, wanted, ahead.bytes);
      this.start = offset;
      this.end = read.ok ? offset + read.length : offset;
      if (offset + size > this.end) return undefined;
    }
    return ahead.bytes.subarray(offset - this.start, offset - this.start + size);
  }
}
