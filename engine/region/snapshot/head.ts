/**
 * What a region snapshot travels in: a head, and the bytes of its tables as they lie on the disk.
 *
 *   piece 0          [descriptor (metapb.Region bytes), snapshot metadata, [table, …],
 *                     safe point | nil]
 *   every other one  bytes of one table; the tables follow one another in the order of the head
 *
 * A table is the tuple of `storage/lsm/manifest/table-codec.ts`; its number means nothing here. The
 * head of a snapshot that lies in the log (`restore`) is the same, its tables being named by the
 * record.
 */
import type { Timestamp } from "../../base/timestamp.ts";
import type { Wire } from "../../base/wire.ts";
import {
  expectBigint,
  expectBytes,
  expectList,
  expectOptional,
  expectTuple,
  malformed,
} from "../../base/wire.ts";
import { Region } from "../../protocol/gen/metapb.ts";
import { snapshotMetadataFromTuple, snapshotMetadataToTuple } from "../../raft/codec.ts";
import type { SnapshotMetadata } from "../../raft/types.ts";
import { readTable, tableToTuple } from "../../storage/lsm/manifest/table-codec.ts";
import type { TableMeta } from "../../storage/table/types.ts";

export interface SnapshotHead {
  readonly region: Region;
  readonly metadata: SnapshotMetadata;
  readonly tables: readonly TableMeta[];
  /**
   * Nothing at or above it is missing from the tables; undefined where their maker did not know
   * how far versions had been collected.
   */
  readonly safePoint: Timestamp | undefined;
}

export const encodeHead = (head: SnapshotHead, wire: Wire): Uint8Array =>
  wire.encode([
    Region.encode(head.region),
    snapshotMetadataToTuple(head.metadata),
    head.tables.map(tableToTuple),
    head.safePoint,
  ]);

/** Undefined where the bytes are no head. */
export function decodeHead(bytes: Uint8Array, wire: Wire): SnapshotHead | undefined {
  const decoded = wire.decodeWith(bytes, headFrom);
  return decoded.ok ? decoded.value : undefined;
}

function headFrom(value: unknown): SnapshotHead {
  const tuple = expectTuple(value, 4, "head of a snapshot");
  const region = Region.decode(expectBytes(tuple[0], "descriptor"));
  if (!region.ok) return malformed("descriptor: not a region");
  const metadata = snapshotMetadataFromTuple(tuple[1]) ?? malformed("metadata: malformed");
  const safePoint = expectOptional(tuple[3], expectBigint, "safe point");
  return {
    region: region.value,
    metadata,
    tables: expectList(tuple[2], readTable, "tables"),
    safePoint: safePoint as Timestamp | undefined,
  };
}

/** Where a piece of a snapshot lies. */
export interface PiecePlace {
  readonly table: TableMeta;
  readonly offset: number;
  readonly length: number;
}

/** How many pieces of at most `pieceBytes` bytes `tables` are cut into, besides the head. */
export const pieceCount = (tables: readonly TableMeta[], pieceBytes: number): number =>
  tables.reduce((sum, { size }) => sum + Math.ceil(size / pieceBytes), 0);

/** The place of piece `sequence` (from 1 on); undefined behind the last one. */
export function pieceAt(
  tables: readonly TableMeta[],
  sequence: number,
  pieceBytes: number,
): PiecePlace | undefined {
  let before = sequence - 1;
  for (const table of tables) {
    const count = Math.ceil(table.size / pieceBytes);
    if (before < count) {
      const offset = before * pieceBytes;
      return { table, offset, length: Math.min(pieceBytes, table.size - offset) };
    }
    before -= count;
  }
  return undefined;
}
