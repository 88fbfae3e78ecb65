/**
 * The pieces a region snapshot travels in.
 *
 *   piece 0          [descriptor (metapb.Region bytes), snapshot metadata]
 *   every other one  [family, key, value, family, key, value, …]
 *
 * A family is its position in `COLUMN_FAMILIES`.
 */
import { assert } from "../base/assert.ts";
import { EMPTY_KEY, type Key } from "../base/bytes.ts";
import type { Wire } from "../base/wire.ts";
import { Region } from "../protocol/gen/metapb.ts";
import { snapshotMetadataFromTuple, snapshotMetadataToTuple } from "../raft/codec.ts";
import type { SnapshotMetadata } from "../raft/types.ts";
import { COLUMN_FAMILIES } from "../storage/types.ts";
import type { KvOperation } from "../storage/types.ts";
import type { KvView } from "../storage/view.ts";
import type { SnapshotPosition } from "./replica.ts";

export interface SnapshotHead {
  readonly region: Region;
  readonly metadata: SnapshotMetadata;
}

export const encodeHead = ({ region, metadata }: SnapshotHead, wire: Wire): Uint8Array =>
  wire.encode([Region.encode(region), snapshotMetadataToTuple(metadata)]);

/** Undefined where the bytes are no head. */
export function decodeHead(bytes: Uint8Array, wire: Wire): SnapshotHead | undefined {
  const decoded = wire.decode(bytes);
  if (!decoded.ok || !Array.isArray(decoded.value)) return undefined;
  const [descriptor, tuple] = decoded.value as readonly unknown[];
  if (!(descriptor instanceof Uint8Array)) return undefined;
  const region = Region.decode(descriptor);
  const metadata = snapshotMetadataFromTuple(tuple);
  return region.ok && metadata !== undefined ? { region: region.value, metadata } : undefined;
}

export interface Piece {
  readonly bytes: Uint8Array;
  readonly position: SnapshotPosition;
  readonly last: boolean;
}

export const startOf = (region: Region): SnapshotPosition => ({ family: 0, key: region.startKey });

/** The piece that begins at `position`: about `limit` bytes of the pairs of `region` in `view`. */
export function cutPiece(
  view: KvView,
  region: Region,
  position: SnapshotPosition,
  limit: number,
  wire: Wire,
): Piece {
  const items: unknown[] = [];
  let bytes = 0;
  let { family } = position;
  let from = position.key as Key;
  for (; family < COLUMN_FAMILIES.length; family++, from = region.startKey) {
    const name = COLUMN_FAMILIES[family];
    assert(name !== undefined, "a family has a name");
    const cursor = view.cursor(name, { lower: from, upper: region.endKey });
    for (cursor.seek(from); cursor.valid; cursor.next()) {
      if (bytes >= limit) {
        const next = { family, key: cursor.key };
        return { bytes: wire.encode(items), position: next, last: false };
      }
      items.push(family, cursor.key, cursor.value);
      bytes += cursor.key.length + cursor.value.length + 8;
    }
  }
  return { bytes: wire.encode(items), position: { family, key: EMPTY_KEY }, last: true };
}

/** The pairs of a piece as puts; undefined where the bytes are no piece. Values are views. */
export function pairsOf(bytes: Uint8Array, wire: Wire): readonly KvOperation[] | undefined {
  const decoded = wire.decode(bytes);
  if (!decoded.ok || !Array.isArray(decoded.value)) return undefined;
  const items = decoded.value as readonly unknown[];
  const operations: KvOperation[] = [];
  for (let i = 0; i + 2 < items.length; i += 3) {
    const cf = COLUMN_FAMILIES[items[i] as number];
    const key = items[i + 1];
    const value = items[i + 2];
    if (cf === undefined || typeof key !== "string" || !(value instanceof Uint8Array)) {
      return undefined;
    }
    operations.push({ type: "put", cf, key: key as Key, value });
  }
  return items.length % 3 === 0 ? operations : undefined;
}
