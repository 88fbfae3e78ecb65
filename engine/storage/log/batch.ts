/**
 * Builds the next write of the log: everything that waits becomes one batch, framed and appended
 * by one operation and made durable by one sync.
 *
 * The batch is the unit of a crash. It is the only thing of the log that is not synced, so a hole
 * or a tear can be innocent only in the last batch of the last segment.
 */
import { assert } from "../../base/assert.ts";
import { idKey } from "../../base/big-endian.ts";
import { LogIndex, maxIndex } from "../../base/ids.ts";
import type { RegionId } from "../../base/ids.ts";
import * as tree from "../../base/tree.ts";
import type { DiskOperation } from "../disk.ts";
import { HEADER_BYTES, encodeFrame, encodeHeader, frameCrc, seedOf } from "./frame.ts";
import { Book } from "./book.ts";
import { encodeBatch } from "./record.ts";
import type { LogState } from "./state.ts";
import { segmentFile } from "../files.ts";
import type { StorageState } from "../state.ts";

export interface BatchWrite {
  readonly log: LogState;
  readonly operations: readonly DiskOperation[];
}

/** Takes everything that waits. Where the segment is full, a new one is made durable before. */
export function nextBatch(state: StorageState): BatchWrite {
  const operations: DiskOperation[] = [];
  const log = needsSegment(state) ? withSegment(state, operations) : state.log;
  const current = log.segments[log.segments.length - 1]!;
  const book = new Book(log.groups, log.segments);
  for (const record of log.pending) {
    if (record.type === "compact") {
      const { region, index } = record;
      // One that comes after its replica was replaced finds nothing to do.
      const allowed = maxIndex(durableIndex(state, region), book.truncatedAt(region));
      assert(index <= allowed, () => `group ${region}: compacted too far`);
    }
    book.enter(record);
  }
  const oldest = book.oldestHeld();
  const repeated = oldest > log.oldest ? book.repeat(oldest) : [];
  const sequence = log.sequence + 1;
  const records = repeated.length === 0 ? log.pending : [...log.pending, ...repeated];
  const payload = encodeBatch({ oldest, records }, state.wire);
  const frame = encodeFrame(log.seed, sequence, current.size, payload);
  const { file } = current;
  operations.push({ type: "append", file, bytes: frame }, { type: "sync", file });
  const next: LogState = {
    pending: NOTHING,
    pendingTicket: undefined,
    due: false,
    writing: log.writing,
    wroteLog: log.wroteLog,
    segments: book.segments(frame.length),
    oldest,
    sequence,
    chain: frameCrc(frame),
    seed: log.seed,
    groups: book.groups(),
  };
  return { log: next, operations };
}

const NOTHING: LogState["pending"] = [];

/** How far the group's data is durable without the log. */
const durableIndex = ({ tree: { marks } }: StorageState, region: RegionId): LogIndex =>
  tree.get(marks, idKey(region))?.applied ?? LogIndex(0);

function needsSegment({ log, config }: StorageState): boolean {
  const current = log.segments[log.segments.length - 1];
  return current === undefined || current.size >= config.segmentBytes;
}

/** A new last segment, whose header and name are durable before anything is written behind it. */
function withSegment({ log, identity }: StorageState, operations: DiskOperation[]): LogState {
  assert(identity !== undefined, "a segment belongs to someone");
  const last = log.segments[log.segments.length - 1];
  const number = last === undefined ? 1 : last.number + 1;
  const header = encodeHeader({
    kind: "log",
    identity,
    number,
    sequence: log.sequence + 1,
    oldest: log.oldest,
    chain: log.chain,
  });
  const file = segmentFile(number);
  operations.push(
    { type: "create", file },
    { type: "append", file, bytes: header },
    { type: "sync", file },
    { type: "sync_directory" },
  );
  const segments = [...log.segments, { number, file, size: HEADER_BYTES, holders: 0 }];
  return { ...log, segments, seed: seedOf(header) };
}
