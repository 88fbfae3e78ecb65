/** Proving a whole table: every byte of it, and everything that it says of itself. */
import { EMPTY_KEY } from "../../base/bytes.ts";
import type { Key } from "../../base/bytes.ts";
import { crc32 } from "../../base/checksum.ts";
import type { DiskReader } from "../disk.ts";
import { filterKeyLength } from "../view.ts";
import { Group } from "./block-reader.ts";
import type { Block } from "./block-reader.ts";
import { EntryHead } from "./entry-head.ts";
import { tableFile } from "./file.ts";
import { KeyHash, filterHas } from "./filter.ts";
import { damageOf, readBlock, readBytes, readPartsOf } from "./open-table.ts";
import type { Flaw, TableParts } from "./open-table.ts";
import type { TableDamage, TableMeta } from "./types.ts";

/** Bytes of one read. */
const CHUNK = 1 << 20;

/** All damage of the table that `meta` names; empty where every byte of it is as it was written. */
export function verifyTable(disk: DiskReader, meta: TableMeta): TableDamage[] {
  const whole = (offset: number, detail: string): TableDamage[] => [
    damageOf(meta, { offset, reason: "corrupt", detail }),
  ];
  const size = disk.size(tableFile(meta.number));
  if (size !== undefined && size > meta.size) {
    return whole(meta.size, `the file has ${size - meta.size} bytes more than the manifest says`);
  }
  const parts = readPartsOf(disk, meta);
  if (!parts.ok) return [damageOf(meta, parts.flaw)];
  const blocks = new BlockVerifier(disk, meta, parts.value).run();
  if (blocks.length > 0 || meta.crc32 === 0) return blocks;
  const crc = fileCrc(disk, meta);
  if (!crc.ok) return [damageOf(meta, crc.flaw)];
  return crc.value === meta.crc32
    ? []
    : whole(0, "the file does not match the manifest's checksum");
}

function fileCrc(
  disk: DiskReader,
  meta: TableMeta,
): { ok: true; value: number } | { ok: false; flaw: Flaw } {
  let crc = 0;
  for (let offset = 0; offset < meta.size; offset += CHUNK) {
    const length = Math.min(CHUNK, meta.size - offset);
    const bytes = readBytes(disk, meta.number, offset, length);
    if (!bytes.ok) return bytes;
    crc = crc32(bytes.value, 0, length, crc);
  }
  return { ok: true, value: crc };
}

/** Goes through the data blocks of one table. */
class BlockVerifier {
  private readonly disk: DiskReader;
  private readonly meta: TableMeta;
  private readonly parts: TableParts;
  private readonly head: EntryHead = new EntryHead();
  private readonly group: Group = new Group();
  private readonly hash: KeyHash = new KeyHash();
  private entries = 0;
  private tombstones = 0;
  private firstKey: Key = EMPTY_KEY;
  private lastKey: Key = EMPTY_KEY;

  constructor(disk: DiskReader, meta: TableMeta, parts: TableParts) {
    this.disk = disk;
    this.meta = meta;
    this.parts = parts;
  }

  run(): TableDamage[] {
    const { meta } = this;
    const { index } = this.parts;
    const damage: TableDamage[] = [];
    for (let ordinal = 0; ordinal < index.count; ordinal++) {
      const flaw = this.checkBlock(ordinal);
      if (flaw !== undefined) damage.push(damageOf(meta, flaw, index, ordinal));
    }
    if (damage.length > 0) return damage;
    const detail = this.checkTotals();
    return detail === undefined ? [] : [damageOf(meta, { offset: 0, reason: "corrupt", detail })];
  }

  private checkBlock(ordinal: number): Flaw | undefined {
    const { index } = this.parts;
    const read = readBlock(this.disk, this.meta.number, this.parts, ordinal, this.head);
    if (!read.ok) return read.flaw;
    const detail = this.checkEntries(read.value, ordinal);
    if (detail === undefined) return undefined;
    return { offset: index.offsets[ordinal]!, reason: "corrupt", detail };
  }

  /** What is wrong in a block, if anything is. */
  private checkEntries(block: Block, ordinal: number): string | undefined {
    const { group, head } = this;
    const start = this.parts.index.start(ordinal)!;
    const next = this.parts.index.start(ordinal + 1);
    for (let number = 0; number < block.groups; number++) {
      if (!group.read(block, number, head)) return "the entries of the block are out of order";
      for (let i = 0; i < group.count; i++) {
        const key = group.key(i);
        if (this.entries === 0) this.firstKey = key;
        else if (key <= this.lastKey) return "the keys of the block do not ascend";
        if (key < start || (next !== undefined && key >= next)) {
          return "the block has a key that the index says is elsewhere";
        }
        if (!this.filterHas(key)) return "the filter denies a key of the block";
        this.lastKey = key;
        this.entries += 1;
        if (group.valueEnd(i) < 0) this.tombstones += 1;
      }
    }
    return undefined;
  }

  /** What the properties say that is not so, if anything is. */
  private checkTotals(): string | undefined {
    const { meta } = this;
    if (this.entries !== meta.entries || this.tombstones !== meta.tombstones) {
      return `the table has ${this.entries} entries and not ${meta.entries}, or other tombstones`;
    }
    if (this.entries === 0) return undefined;
    const { largest } = meta;
    const isWithin = meta.largestExclusive
      ? largest === EMPTY_KEY || this.lastKey < largest
      : this.lastKey <= largest;
    return this.firstKey >= meta.smallest && isWithin
      ? undefined
      : "the table has a key that is not within its bounds";
  }

  private filterHas(key: Key): boolean {
    const { filter, filterSize } = this.parts;
    if (filter === undefined) return true;
    this.hash.of(key, filterKeyLength(this.meta.cf, key));
    return filterHas(filter, filterSize, this.hash);
  }
}
