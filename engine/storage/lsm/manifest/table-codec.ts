/**
 * A table's description as a tuple, for manifest edits and `restore` records.
 *
 * ```
 * table  [number, family, size, entries, tombstones, [[start, end], …], smallest, largest,
 *         largest is exclusive, crc32]                family: 0 default, 1 lock, 2 write
 *                                                     crc32: 0 where it was not reckoned
 * ```
 */
import { keyToBytes } from "../../../base/bytes.ts";
import {
  expectBoolean,
  expectCount,
  expectKey,
  expectList,
  expectTuple,
  malformed,
} from "../../../base/wire.ts";
import type { Clear, TableMeta } from "../../table/types.ts";
import { COLUMN_FAMILIES } from "../../types.ts";
import type { ColumnFamily } from "../../types.ts";

export function tableToTuple(meta: TableMeta): readonly unknown[] {
  return [
    meta.number,
    COLUMN_FAMILIES.indexOf(meta.cf),
    meta.size,
    meta.entries,
    meta.tombstones,
    meta.clears.map(({ start, end }) => [keyToBytes(start), keyToBytes(end)]),
    keyToBytes(meta.smallest),
    keyToBytes(meta.largest),
    meta.largestExclusive,
    meta.crc32,
  ];
}

/** For use within `decodeWith`. Keeps nothing of the bytes that are decoded. */
export function readTable(value: unknown): TableMeta {
  const tuple = expectTuple(value, 10, "table");
  return {
    number: expectCount(tuple[0], "table number"),
    cf: readFamily(tuple[1]),
    size: expectCount(tuple[2], "table size"),
    entries: expectCount(tuple[3], "table entries"),
    tombstones: expectCount(tuple[4], "table tombstones"),
    clears: expectList(tuple[5], readClear, "table clears"),
    smallest: expectKey(tuple[6], "smallest key"),
    largest: expectKey(tuple[7], "largest key"),
    largestExclusive: expectBoolean(tuple[8], "largest is exclusive"),
    crc32: expectCount(tuple[9], "table checksum"),
  };
}

/** For use within `decodeWith`. */
export function readFamily(value: unknown): ColumnFamily {
  return COLUMN_FAMILIES[expectCount(value, "family")] ?? malformed("family: unknown");
}

function readClear(value: unknown): Clear {
  const [start, end] = expectTuple(value, 2, "clear");
  return { start: expectKey(start, "start of a clear"), end: expectKey(end, "end of a clear") };
}
