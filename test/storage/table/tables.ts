/** Tables in memory, and what must be true of reading them. */
import fc from "fast-check";
import { EMPTY_KEY } from "../../../engine/base/bytes.ts";
import type { Key } from "../../../engine/base/bytes.ts";
import { concatBytes } from "../../../engine/base/bytes.ts";
import type { DiskFill, DiskRead, DiskReader, FileName } from "../../../engine/storage/disk.ts";
import { tableFile } from "../../../engine/storage/table/file.ts";
import { TOMBSTONE } from "../../../engine/storage/table/types.ts";
import type { Clear, Entry, TableMeta, TableOptions } from "../../../engine/storage/table/types.ts";
import { TableWriter } from "../../../engine/storage/table/writer.ts";
import type { ColumnFamily } from "../../../engine/storage/types.ts";

/** Files in memory. Reads are counted, and may be refused. */
export class MemoryDisk implements DiskReader {
  free(): number {
    return Number.MAX_SAFE_INTEGER;
  }

  readonly files: Map<FileName, Uint8Array> = new Map();
  reads = 0;
  isBroken = false;
  /** Reads that meet a bad sector. */
  refuses: (file: FileName, offset: number, length: number) => boolean = () => false;

  list(): readonly FileName[] {
    return [...this.files.keys()].sort((a, b) => (a < b ? -1 : 1));
  }

  size(file: FileName): number | undefined {
    return this.files.get(file)?.length;
  }

  read(file: FileName, offset: number, length: number): DiskRead {
    this.reads += 1;
    const bytes = this.files.get(file);
    if (bytes === undefined) return { ok: false, reason: "missing" };
    if (this.isBroken || this.refuses(file, offset, length))
      return { ok: false, reason: "io_error" };
    return { ok: true, bytes: bytes.slice(offset, offset + length) };
  }

  readInto(file: FileName, offset: number, length: number, into: Uint8Array): DiskFill {
    const read = this.read(file, offset, length);
    if (!read.ok) return read;
    into.set(read.bytes);
    return { ok: true, length: read.bytes.length };
  }
}

export interface Content {
  readonly cf: ColumnFamily;
  /** Ascending. */
  readonly entries: readonly (readonly [Key, Entry])[];
  readonly clears: readonly Clear[];
}

export const OPTIONS: TableOptions = {
  blockBytes: 256,
  restartInterval: 4,
  compression: "none",
  filterBits: 10,
};

/** Writes a table to `disk`. */
export function build(
  disk: MemoryDisk,
  number: number,
  content: Content,
  options: TableOptions = OPTIONS,
): TableMeta {
  const writer = new TableWriter(number, content.cf, options);
  const parts: Uint8Array[] = [];
  for (const [key, entry] of content.entries) {
    writer.add(key, entry);
    if (parts.length % 3 === 0) parts.push(...writer.take());
  }
  for (const clear of content.clears) writer.clear(clear);
  const finished = writer.finish();
  disk.files.set(tableFile(number), concatBytes([...parts, ...finished.parts]));
  return finished.meta;
}

/** Keys that share much, hold extreme bytes, and are prefixes of each other. */
export const anyKey: fc.Arbitrary<Key> = fc
  .array(fc.constantFrom("\0", "a", "ab", "shared prefix ", "\xfe", "\xff", "\xff\xff", "z"), {
    maxLength: 5,
  })
  .map((parts) => parts.join("") as Key);

const anyEntry: fc.Arbitrary<Entry> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Entry>(TOMBSTONE) },
  { weight: 1, arbitrary: fc.constant<Entry>(new Uint8Array(0)) },
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 120, max: 700 }).map((n) => new Uint8Array(n).fill(n)),
  },
);

export const anyContent: fc.Arbitrary<Content> = fc
  .record({
    cf: fc.constantFrom<ColumnFamily>("default", "lock", "write"),
    entries: fc.dictionary(anyKey, anyEntry, { maxKeys: 60 }),
    bounds: fc.uniqueArray(anyKey, { maxLength: 4 }),
    isOpen: fc.boolean(),
  })
  .map(({ cf, entries, bounds, isOpen }) => ({
    cf,
    entries: Object.entries(entries)
      .map(([key, entry]) => [key as Key, entry] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    clears: clearsBetween(
      bounds.sort((a, b) => (a < b ? -1 : 1)),
      isOpen,
    ),
  }))
  .filter(({ entries, clears }) => entries.length + clears.length > 0);

export const anyOptions: fc.Arbitrary<TableOptions> = fc.record({
  blockBytes: fc.constantFrom(1, 64, 256, 4096),
  restartInterval: fc.constantFrom(1, 2, 4, 16),
  compression: fc.constantFrom("none", "lz4"),
  filterBits: fc.constantFrom(0, 1, 10),
});

function clearsBetween(bounds: readonly Key[], isOpen: boolean): Clear[] {
  const clears: Clear[] = [];
  for (let i = 0; i + 1 < bounds.length; i += 2) {
    clears.push({ start: bounds[i]!, end: bounds[i + 1]! });
  }
  if (isOpen && bounds.length % 2 === 1) clears.push({ start: bounds.at(-1)!, end: EMPTY_KEY });
  return clears;
}
