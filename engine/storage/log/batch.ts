/**
 * Builds the next write of the log: everything that waits becomes one batch, framed and appended
 * by one operation and made durable by one sync.
 *
 * The batch is the unit of a crash. It is the only thing of the log that is not synced, so a hole
 * or a tear can be innocent only in the last batch of the last segment.
 */
import { assert } from "../../base/assert.ts";
import type { DiskOperation } from "../disk.ts";
import { HEADER_BYTES, encodeFrame, encodeHeader, frameCrc, seedOf } from "./frame.ts";
import { Book } from "./book.ts";
import { encodeBatch } from "./record.ts";
import { segmentFile } from "../state.ts";
import type { StorageState } from "../state.ts";

export interface BatchWrite {
  readonly state: StorageState;
  readonly operations: readonly DiskOperation[];
}

/** Takes everything that waits. Where the segment is full, a new one is made durable before. */
export function nextBatch(state: StorageState): BatchWrite {
  const operations: DiskOperation[] = [];
  const rotated = needsSegment(state) ? withSegment(state, operations) : state;
  const current = rotated.segments[rotated.segments.length - 1]!;
  const book = new Book(rotated.groups, rotated.segments);
  const { checkpoint } = rotated;
  for (const record of rotated.pending) {
    if (record.type === "compact") {
      const applied = checkpoint?.applied.get(record.region) ?? 0;
      assert(
        record.index <= applied,
        () => `group ${record.region}: compacted before a checkpoint`,
      );
    }
    book.enter(record);
  }
  const oldest = book.oldestHeld();
  const repeated = oldest > rotated.oldest ? book.repeat(oldest) : [];
  const sequence = rotated.sequence + 1;
  const records = repeated.length === 0 ? rotated.pending : [...rotated.pending, ...repeated];
  const payload = encodeBatch({ oldest, records }, rotated.wire);
  const frame = encodeFrame(rotated.seed, sequence, current.size, payload);
  const file = segmentFile(current.number);
  operations.push({ type: "append", file, bytes: frame }, { type: "sync", file });
  const next: StorageState = {
    config: rotated.config,
    wire: rotated.wire,
    identity: rotated.identity,
    closed: rotated.closed,
    pending: NOTHING,
    pendingTicket: undefined,
    due: false,
    writing: rotated.writing,
    wroteLog: rotated.wroteLog,
    nextTicket: rotated.nextTicket,
    segments: book.segments(frame.length),
    oldest,
    sequence,
    chain: frameCrc(frame),
    seed: rotated.seed,
    groups: book.groups(),
    checkpoint: rotated.checkpoint,
    draft: rotated.draft,
  };
  return { state: next, operations };
}

const NOTHING: StorageState["pending"] = [];

function needsSegment(state: StorageState): boolean {
  const current = state.segments[state.segments.length - 1];
  return current === undefined || current.size >= state.config.segmentBytes;
}

/** A new last segment, whose header and name are durable before anything is written behind it. */
function withSegment(state: StorageState, operations: DiskOperation[]): StorageState {
  assert(state.identity !== undefined, "a segment belongs to someone");
  const last = state.segments[state.segments.length - 1];
  const number = last === undefined ? 1 : last.number + 1;
  const header = encodeHeader({
    kind: "log",
    identity: state.identity,
    number,
    sequence: state.sequence + 1,
    oldest: state.oldest,
    chain: state.chain,
  });
  const file = segmentFile(number);
  operations.push(
    { type: "create", file },
    { type: "append", file, bytes: header },
    { type: "sync", file },
    { type: "sync_directory" },
  );
  const segments = [...state.segments, { number, size: HEADER_BYTES, holders: 0 }];
  return { ...state, segments, seed: seedOf(header) };
}
