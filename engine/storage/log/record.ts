/**
 * What a batch of the log holds: a msgpack array of the oldest segment still needed and the
 * records, each a tuple.
 *
 * ```
 * batch    [oldest, [record, …]]
 * append   [1, region, hard state or nil, [entry, …]]
 * compact  [2, region, index, term]
 * restore  [3, region, hard state, snapshot, [chunk, …], [table, …]]
 * destroy  [4, region, meta]
 * begin    [5, region, index, term]
 * ```
 *
 * Hard states, entries and snapshots are tuples of `raft/codec.ts`, tables of
 * `lsm/manifest/table-codec.ts`.
 */
import { assert, unreachable } from "../../base/assert.ts";
import type { LogIndex, RegionId, Term } from "../../base/ids.ts";
import { MAX_WIRE_ITEMS, createWire, expectList } from "../../base/wire.ts";
import type { Wire } from "../../base/wire.ts";
import {
  entryFromTuple,
  entryToTuple,
  hardStateFromTuple,
  hardStateToTuple,
  snapshotMetadataFromTuple,
  snapshotMetadataToTuple,
} from "../../raft/codec.ts";
import type { Tuple } from "../../raft/codec.ts";
import type { Entry } from "../../raft/types.ts";
import { readTable, tableToTuple } from "../lsm/manifest/table-codec.ts";
import type { LogRecord } from "../types.ts";

export interface Batch {
  /** Segments before this one were not needed when the batch was written. */
  readonly oldest: number;
  readonly records: readonly LogRecord[];
}

/** The tag of each record on disk. DO NOT CHANGE. */
const TAGS = { append: 1, compact: 2, restore: 3, destroy: 4, begin: 5 } as const;

/** Above this many bytes of snapshots a buffer for them is not worth keeping. */
const LARGE_BYTES = 1 << 20;

/** The bytes are lent: the next value that `kept` encodes overwrites them. */
export function encodeBatch(batch: Batch, kept: Wire): Uint8Array {
  assert(batch.records.length <= MAX_WIRE_ITEMS, "a batch has no more records than can be read");
  let snapshotBytes = 0;
  for (const record of batch.records) {
    if (record.type !== "restore") continue;
    for (const chunk of record.chunks) snapshotBytes += chunk.length;
  }
  const wire = snapshotBytes > LARGE_BYTES ? createWire() : kept;
  return wire.encodeBriefly([batch.oldest, batch.records.map(recordToTuple)]);
}

/**
 * Undefined for bytes that `encodeBatch` does not make. Byte strings in the result are views of
 * `payload`.
 */
export function decodeBatch(payload: Uint8Array, wire: Wire): Batch | undefined {
  const decoded = wire.decodeWith(payload, batchFrom);
  return decoded.ok ? decoded.value : undefined;
}

function batchFrom(value: unknown): Batch | undefined {
  if (!isTuple(value) || value.length !== 2) return undefined;
  const [oldest, tuples] = value;
  if (!isCount(oldest) || !isTuple(tuples)) return undefined;
  const records: LogRecord[] = [];
  for (const tuple of tuples) {
    const record = isTuple(tuple) ? recordFromTuple(tuple) : undefined;
    if (record === undefined) return undefined;
    records.push(record);
  }
  return { oldest, records };
}

function recordToTuple(record: LogRecord): Tuple {
  const { region } = record;
  switch (record.type) {
    case "append": {
      const { hardState } = record;
      const state = hardState === undefined ? null : hardStateToTuple(hardState);
      return [TAGS.append, region, state, record.entries.map(entryToTuple)];
    }
    case "compact":
    case "begin":
      return [TAGS[record.type], region, record.index, record.term];
    case "restore": {
      const { hardState, metadata, chunks, tables } = record;
      const snapshot = snapshotMetadataToTuple(metadata);
      const named = tables.map(tableToTuple);
      return [TAGS.restore, region, hardStateToTuple(hardState), snapshot, chunks, named];
    }
    case "destroy":
      return [TAGS.destroy, region, record.meta];
    default:
      return unreachable(record);
  }
}

function recordFromTuple(tuple: readonly unknown[]): LogRecord | undefined {
  if (!isCount(tuple[1])) return undefined;
  const region = tuple[1] as RegionId;
  switch (tuple[0]) {
    case TAGS.append:
      return appendFrom(region, tuple);
    case TAGS.compact:
    case TAGS.begin: {
      const [tag, , index, term] = tuple;
      if (tuple.length !== 4 || !isCount(index) || !isCount(term)) return undefined;
      const type = tag === TAGS.begin ? "begin" : "compact";
      return { type, region, index: index as LogIndex, term: term as Term };
    }
    case TAGS.restore:
      return restoreFrom(region, tuple);
    case TAGS.destroy: {
      const meta = tuple[2];
      if (tuple.length !== 3 || !(meta instanceof Uint8Array)) return undefined;
      return { type: "destroy", region, meta };
    }
    default:
      return undefined;
  }
}

function appendFrom(region: RegionId, tuple: readonly unknown[]): LogRecord | undefined {
  const [, , state, list] = tuple;
  if (tuple.length !== 4 || !isTuple(list)) return undefined;
  const hardState = state === null ? undefined : hardStateFromTuple(state);
  if (state !== null && hardState === undefined) return undefined;
  const entries: Entry[] = [];
  for (const item of list) {
    const entry = entryFromTuple(item);
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  return { type: "append", region, hardState, entries };
}

function restoreFrom(region: RegionId, tuple: readonly unknown[]): LogRecord | undefined {
  const [, , state, snapshot, list, named] = tuple;
  const hardState = hardStateFromTuple(state);
  const metadata = snapshotMetadataFromTuple(snapshot);
  if (tuple.length !== 6 || hardState === undefined || metadata === undefined) return undefined;
  if (!isTuple(list)) return undefined;
  const chunks: Uint8Array[] = [];
  for (const chunk of list) {
    if (!(chunk instanceof Uint8Array)) return undefined;
    chunks.push(chunk);
  }
  const tables = expectList(named, readTable, "tables");
  return { type: "restore", region, hardState, metadata, chunks, tables };
}

const isTuple = (value: unknown): value is readonly unknown[] => Array.isArray(value);

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
