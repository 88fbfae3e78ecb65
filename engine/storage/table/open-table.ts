/** Opening a table: footer, filter, index and properties, each proved before it is believed. */
import { keyAfter } from "../../base/bytes.ts";
import type { Key } from "../../base/bytes.ts";
import type { DiskFailure, DiskReader } from "../disk.ts";
import { decodeBlock } from "./block-reader.ts";
import type { Block } from "./block-reader.ts";
import type { Resident } from "./clock.ts";
import type { EntryHead } from "./entry-head.ts";
import { tableFile } from "./file.ts";
import { isFilter } from "./filter.ts";
import { FOOTER_BYTES, decodeFooter, tableSeed } from "./footer.ts";
import { decodeIndex } from "./index-block.ts";
import type { TableIndex } from "./index-block.ts";
import { areOf, decodeProperties } from "./properties.ts";
import type { Properties } from "./properties.ts";
import { unseal } from "./seal.ts";
import type { TableDamage, TableMeta } from "./types.ts";

/** Where and why the bytes of a table cannot be trusted. */
export type Flaw = Pick<TableDamage, "offset" | "reason" | "detail">;

export type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly flaw: Flaw };

/** What a table says besides its data blocks. */
export interface TableParts {
  /** Of the checksums of all its blocks. */
  readonly seed: number;
  readonly index: TableIndex;
  /** Its first `filterSize` bytes; undefined for a table without one. */
  readonly filter: Uint8Array | undefined;
  readonly filterSize: number;
  readonly properties: Properties;
}

/** About what an open table takes in memory besides what it holds. */
const TABLE_OVERHEAD = 2200;
/** Of a block, whether it is remembered or not: its place in an array. */
const BLOCK_PLACE = 8;

/** A table that was opened, and those of its blocks that are remembered. */
export class OpenTable implements Resident {
  readonly meta: TableMeta;
  readonly seed: number;
  readonly index: TableIndex;
  readonly filter: Uint8Array | undefined;
  readonly filterSize: number;
  readonly blocks: (Block | undefined)[];
  readonly weight: number;
  used = false;
  place = -1;

  constructor(meta: TableMeta, parts: TableParts) {
    this.meta = meta;
    this.seed = parts.seed;
    this.index = parts.index;
    this.filter = parts.filter;
    this.filterSize = parts.filterSize;
    this.blocks = Array<Block | undefined>(parts.index.count).fill(undefined);
    const filterBytes = parts.filter?.buffer.byteLength ?? 0;
    const { count, weight } = parts.index;
    this.weight = TABLE_OVERHEAD + filterBytes + weight + BLOCK_PLACE * count;
  }
}

interface Part {
  readonly bytes: Uint8Array;
  readonly size: number;
}

/** Reads all but the data blocks of a file of `fileSize` bytes. */
export function readParts(disk: DiskReader, number: number, fileSize: number): Checked<TableParts> {
  const footerAt = fileSize - FOOTER_BYTES;
  if (footerAt < 0) return flawed(0, `a file of ${fileSize} bytes is no table`);
  const footerBytes = readBytes(disk, number, footerAt, FOOTER_BYTES);
  if (!footerBytes.ok) return footerBytes;
  const read = decodeFooter(footerBytes.value, fileSize);
  if (!read.ok) {
    const { reason, detail } = read;
    return { ok: false, flaw: { offset: footerAt, reason, detail } };
  }
  const { dataSize, filterSize, indexSize, propertiesSize } = read.footer;
  const seed = tableSeed(read.footer.number);
  const indexAt = dataSize + filterSize;
  const propertiesAt = indexAt + indexSize;
  const filter = filterSize === 0 ? NO_FILTER : readPart(disk, number, dataSize, filterSize, seed);
  if (!filter.ok) return filter;
  if (filterSize > 0 && !isFilter(filter.value.bytes, filter.value.size)) {
    return flawed(dataSize, "the filter is not one");
  }
  const indexPart = readPart(disk, number, indexAt, indexSize, seed);
  if (!indexPart.ok) return indexPart;
  const index = decodeIndex(indexPart.value.bytes, indexPart.value.size, dataSize);
  if (index === undefined) return flawed(indexAt, "the index is not one of these blocks");
  const propertiesPart = readPart(disk, number, propertiesAt, propertiesSize, seed);
  if (!propertiesPart.ok) return propertiesPart;
  const properties = decodeProperties(propertiesPart.value.bytes, propertiesPart.value.size);
  if (properties === undefined) return flawed(propertiesAt, "the properties are not any");
  const value = {
    seed,
    index,
    filter: filterSize === 0 ? undefined : filter.value.bytes,
    filterSize: filter.value.size,
    properties,
  };
  return { ok: true, value };
}

/** As `readParts`, of the table that `meta` names and no other. */
export function readPartsOf(disk: DiskReader, meta: TableMeta): Checked<TableParts> {
  const parts = readParts(disk, meta.number, meta.size);
  if (!parts.ok || areOf(parts.value.properties, meta)) return parts;
  return flawed(meta.size - FOOTER_BYTES, "the file is another table than the manifest names");
}

/** What opening a data block needs to know of its table. */
export type BlockPlaces = Pick<TableParts, "index" | "seed">;

/** Reads data block `ordinal`, into `room` (kept) where it is given. */
export function readBlock(
  disk: DiskReader,
  number: number,
  parts: BlockPlaces,
  ordinal: number,
  head: EntryHead,
  room: Uint8Array = new Uint8Array(sealedSize(parts.index, ordinal)),
): Checked<Block> {
  const offset = parts.index.offsets[ordinal]!;
  const size = sealedSize(parts.index, ordinal);
  const read = disk.readInto(tableFile(number), offset, size, room);
  if (!read.ok) return unreadable(offset, read.reason);
  if (read.length !== size) return flawed(offset, "the file ends too early");
  return openBlock(number, parts, ordinal, head, room);
}

/** Data block `ordinal`, whose bytes as they lie in the file begin `sealed` (kept). */
export function openBlock(
  number: number,
  parts: BlockPlaces,
  ordinal: number,
  head: EntryHead,
  sealed: Uint8Array,
): Checked<Block> {
  const offset = parts.index.offsets[ordinal]!;
  const part = unseal(sealed, parts.seed, offset, sealedSize(parts.index, ordinal));
  if (!part.ok) return flawed(offset, part.detail);
  const block = decodeBlock(number, ordinal, part, head);
  if (block === undefined) return flawed(offset, "the restarts of the block are out of order");
  return { ok: true, value: block };
}

/** Bytes of data block `ordinal` in its file. */
export const sealedSize = ({ offsets }: TableIndex, ordinal: number): number =>
  offsets[ordinal + 1]! - offsets[ordinal]!;

/** The damage that makes data block `ordinal` of a table unknown, or with none the whole table. */
export function damageOf(
  meta: TableMeta,
  flaw: Flaw,
  index?: TableIndex,
  ordinal: number = 0,
): TableDamage {
  const { number, cf, largest, largestExclusive } = meta;
  const end = largestExclusive ? largest : keyAfter(largest);
  const from: Key = index?.start(ordinal) ?? meta.smallest;
  return {
    table: number,
    file: tableFile(number),
    offset: flaw.offset,
    cf,
    start: from,
    end: index?.start(ordinal + 1) ?? end,
    reason: flaw.reason,
    detail: flaw.detail,
  };
}

export const flawed = (offset: number, detail: string): Checked<never> => ({
  ok: false,
  flaw: { offset, reason: "corrupt", detail },
});

const unreadable = (offset: number, reason: DiskFailure): Checked<never> => ({
  ok: false,
  flaw: { offset, reason: "unreadable", detail: `the disk says ${reason}` },
});

/** Exactly `length` bytes of the file. */
export function readBytes(
  disk: DiskReader,
  number: number,
  offset: number,
  length: number,
): Checked<Uint8Array> {
  const read = disk.read(tableFile(number), offset, length);
  if (!read.ok) return unreadable(offset, read.reason);
  if (read.bytes.length !== length) return flawed(offset, "the file ends too early");
  return { ok: true, value: read.bytes };
}

function readPart(
  disk: DiskReader,
  number: number,
  offset: number,
  size: number,
  seed: number,
): Checked<Part> {
  const bytes = readBytes(disk, number, offset, size);
  if (!bytes.ok) return bytes;
  const part = unseal(bytes.value, seed, offset);
  return part.ok ? { ok: true, value: part } : flawed(offset, part.detail);
}

const NO_FILTER: Checked<Part> = { ok: true, value: { bytes: new Uint8Array(0), size: 0 } };
