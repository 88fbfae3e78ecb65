/**
 * A table's properties: what the manifest says of it, repeated in the file, so that a file found in
 * another's place is not taken for it, and can be read without a manifest.
 *
 * ```
 * properties                                           key
 *  1      column family: 0 default, 1 lock, 2 write     4  size
 *  8      entries                                          bytes
 *  8      tombstones
 *         smallest key
 *  1      1 where the largest is exclusive, else 0
 *         largest key
 *  4      clears
 *         start and end (keys) of each
 * ```
 *
 * Integers are big-endian.
 */
import { readSafeU64, readU32, writeSafeU64, writeU32 } from "../../base/big-endian.ts";
import { keyFromRange, writeKey } from "../../base/bytes.ts";
import type { Key } from "../../base/bytes.ts";
import type { ColumnFamily } from "../types.ts";
import type { Clear, TableMeta } from "./types.ts";

/** What a table says of itself. */
export type Properties = Pick<
  TableMeta,
  "cf" | "entries" | "tombstones" | "clears" | "smallest" | "largest" | "largestExclusive"
>;

/** A family's byte is its place here. */
const FAMILIES: readonly ColumnFamily[] = ["default", "lock", "write"];

export function encodeProperties(properties: Properties): Uint8Array {
  const { clears, smallest, largest } = properties;
  let size = 1 + 8 + 8 + keySize(smallest) + 1 + keySize(largest) + 4;
  for (const { start, end } of clears) size += keySize(start) + keySize(end);
  const bytes = new Uint8Array(size);
  bytes[0] = FAMILIES.indexOf(properties.cf);
  let at = writeSafeU64(properties.entries, bytes, 1);
  at = writeSafeU64(properties.tombstones, bytes, at);
  at = writeSizedKey(smallest, bytes, at);
  bytes[at++] = properties.largestExclusive ? 1 : 0;
  at = writeSizedKey(largest, bytes, at);
  at = writeU32(clears.length, bytes, at);
  for (const { start, end } of clears)
    at = writeSizedKey(end, bytes, writeSizedKey(start, bytes, at));
  return bytes;
}

/** Reads `bytes[0, size)`; undefined where they are no properties. */
export function decodeProperties(bytes: Uint8Array, size: number): Properties | undefined {
  const reader = new Reader(bytes, size);
  const cf = FAMILIES[reader.byte()];
  const entries = reader.count();
  const tombstones = reader.count();
  const smallest = reader.key();
  const exclusive = reader.byte();
  const largest = reader.key();
  const clears: Clear[] = [];
  for (let left = reader.u32(); left > 0 && !reader.failed; left--) {
    clears.push({ start: reader.key(), end: reader.key() });
  }
  if (!reader.isDone || cf === undefined || exclusive > 1) return undefined;
  return {
    cf,
    entries,
    tombstones,
    clears,
    smallest,
    largest,
    largestExclusive: exclusive === 1,
  };
}

/** Whether a table that says `properties` of itself is the one that `meta` names. */
export function areOf(properties: Properties, meta: TableMeta): boolean {
  return (
    properties.cf === meta.cf &&
    properties.entries === meta.entries &&
    properties.tombstones === meta.tombstones &&
    properties.smallest === meta.smallest &&
    properties.largest === meta.largest &&
    properties.largestExclusive === meta.largestExclusive &&
    properties.clears.length === meta.clears.length &&
    properties.clears.every((clear, i) => {
      const other = meta.clears[i]!;
      return clear.start === other.start && clear.end === other.end;
    })
  );
}

const keySize = (key: Key): number => 4 + key.length;

const writeSizedKey = (key: Key, target: Uint8Array, offset: number): number =>
  writeKey(key, target, writeU32(key.length, target, offset));

/** Reads one thing after another; from the first that is missing on, `failed`. */
class Reader {
  failed = false;
  private at = 0;
  private readonly bytes: Uint8Array;
  private readonly size: number;

  constructor(bytes: Uint8Array, size: number) {
    this.bytes = bytes;
    this.size = size;
  }

  get isDone(): boolean {
    return !this.failed && this.at === this.size;
  }

  byte(): number {
    const at = this.skip(1);
    return this.failed ? 0 : this.bytes[at]!;
  }

  u32(): number {
    const at = this.skip(4);
    return this.failed ? 0 : readU32(this.bytes, at);
  }

  count(): number {
    const at = this.skip(8);
    const value = this.failed ? 0 : readSafeU64(this.bytes, at);
    this.failed ||= value === undefined;
    return value ?? 0;
  }

  key(): Key {
    const length = this.u32();
    const at = this.skip(length);
    return keyFromRange(this.bytes, at, this.failed ? at : at + length);
  }

  /** The offset of the next `length` bytes. */
  private skip(length: number): number {
    const { at } = this;
    this.failed ||= at + length > this.size;
    if (!this.failed) this.at = at + length;
    return at;
  }
}
