/**
 * Reads the log back: every segment from the first to the last, every batch, every record, under
 * the rules by which they were written. Only the tail of the last segment may be damaged, and only
 * where nothing follows: that is what a crash leaves of the one batch that was not synced. All
 * other damage is corruption.
 */
import type { RegionId } from "../../base/ids.ts";
import type { Wire } from "../../base/wire.ts";
import type { Entry } from "../../raft/types.ts";
import { corrupt, readExactly, unreadable } from "../damage.ts";
import type { Damage } from "../damage.ts";
import type { DiskReader, FileName } from "../disk.ts";
import { HEADER_BYTES, decodeHeader, findFrame, readFrame } from "./frame.ts";
import { unknownGroup, withRecord } from "./group.ts";
import type { GroupLog } from "./group.ts";
import { decodeBatch } from "./record.ts";
import { segmentFile } from "../files.ts";
import type { Identity, LogRecord, RecoveredGroup } from "../types.ts";

/** One group while it is replayed. */
export interface ReplayedGroup {
  log: GroupLog;
  /** Contiguous from `log.base + 1`. Their data are views of whole segments. */
  entries: Entry[];
  restored: RecoveredGroup["restored"];
  /** Counts restores, so that they can be put in the order of the log. */
  restoredAt: number;
}

/** The whole log, read. */
export interface Replay {
  readonly wire: Wire;
  identity: Identity | undefined;
  readonly groups: Map<RegionId, ReplayedGroup>;
  /** Numbers and sizes of the segments, without the cut tail. */
  readonly segments: { readonly number: number; readonly size: number }[];
  oldest: number;
  sequence: number;
  chain: number;
  seed: number;
  restores: number;
  /** A tail of the last segment, from its `size` on, that must be cut off. */
  torn: boolean;
  /** A last segment that was being made: it holds nothing. */
  leftover: FileName | undefined;
  /** Whether the first segment is there, so that all facts are known from their beginning. */
  fromStart: boolean;
}

/** Replays the segments with these numbers, in ascending order. */
export function replayLog(
  reader: DiskReader,
  numbers: readonly number[],
  wire: Wire,
): { readonly ok: true; readonly replay: Replay } | Damage {
  const replay: Replay = {
    wire,
    identity: undefined,
    groups: new Map(),
    segments: [],
    oldest: 1,
    sequence: 0,
    chain: 0,
    seed: 0,
    restores: 0,
    torn: false,
    leftover: undefined,
    fromStart: numbers[0] === 1,
  };
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!;
    const expected = numbers[0]! + i;
    if (number !== expected) {
      return corrupt(segmentFile(expected), 0, "a segment of the log is missing");
    }
    const damage = replaySegment(reader, replay, number, i === numbers.length - 1);
    if (damage !== undefined) return damage;
  }
  const first = replay.segments[0];
  if (first !== undefined && first.number > replay.oldest) {
    return corrupt(segmentFile(replay.oldest), 0, "the first segment of the log is missing");
  }
  return { ok: true, replay };
}

function replaySegment(
  reader: DiskReader,
  replay: Replay,
  number: number,
  isLast: boolean,
): Damage | undefined {
  const file = segmentFile(number);
  const read = readExactly(reader, file, 0, reader.size(file) ?? 0);
  if (!read.ok) return read;
  const { bytes } = read;
  const head = decodeHeader("log", bytes);
  if (!head.ok) {
    if (head.reason === "version") return unreadable(file, head.offset, head.detail);
    // The header is durable before anything is written behind it.
    const unfinished = isLast && bytes.length <= HEADER_BYTES;
    if (!unfinished || (number !== 1 && replay.segments.length === 0)) {
      return corrupt(file, head.offset, head.detail);
    }
    replay.leftover = file;
    return undefined;
  }
  const { header } = head;
  const isFirst = replay.segments.length === 0;
  if (header.number !== number) return corrupt(file, 24, `the file holds segment ${header.number}`);
  if (isFirst) {
    replay.identity = header.identity;
    replay.sequence = header.sequence - 1;
  } else {
    const { identity } = replay;
    if (identity?.cluster !== header.identity.cluster || identity.store !== header.identity.store) {
      return corrupt(file, 8, "the segment belongs to another store");
    }
    if (header.sequence !== replay.sequence + 1 || header.chain !== replay.chain) {
      return corrupt(file, 32, "the segment does not continue the one before it");
    }
  }
  replay.seed = head.seed;
  replay.oldest = Math.max(replay.oldest, header.oldest);
  const end = replayBatches(replay, number, bytes, isLast);
  if (typeof end !== "number") return end;
  replay.segments.push({ number, size: end });
  replay.torn = end < bytes.length;
  return undefined;
}

/** Replays the batches of a segment: the offset behind the last good one. */
function replayBatches(
  replay: Replay,
  number: number,
  bytes: Uint8Array,
  isLast: boolean,
): number | Damage {
  const file = segmentFile(number);
  let at = HEADER_BYTES;
  for (;;) {
    const frame = readFrame(replay.seed, bytes, at);
    if (frame.type === "end") return at;
    if (frame.type === "damaged_header") {
      if (!isLast) return corrupt(file, at, "a batch is damaged, and a segment follows");
      const next = findFrame(replay.seed, bytes, at + 1);
      if (next === undefined) return at;
      return corrupt(file, at, `a batch is damaged, and another one stands behind it at ${next}`);
    }
    if (frame.sequence !== replay.sequence + 1) {
      const detail = `batch ${frame.sequence} follows batch ${replay.sequence}`;
      return corrupt(file, at, detail);
    }
    if (frame.type === "damaged_payload") {
      if (!isLast) return corrupt(file, at, "a batch is damaged, and a segment follows");
      if (frame.end >= bytes.length) return at;
      return corrupt(file, at, `a batch is damaged, and bytes stand behind it at ${frame.end}`);
    }
    const detail = replayBatch(replay, number, frame.payload);
    if (detail !== undefined) return corrupt(file, at, detail);
    replay.sequence = frame.sequence;
    replay.chain = frame.crc;
    at = frame.end;
  }
}

/** Enters the records of a batch; a sentence where they cannot be true. */
function replayBatch(replay: Replay, segment: number, payload: Uint8Array): string | undefined {
  const batch = decodeBatch(payload, replay.wire);
  if (batch === undefined) return "the batch is whole and makes no sense";
  replay.oldest = Math.max(replay.oldest, batch.oldest);
  for (const record of batch.records) {
    const known = replay.groups.get(record.region);
    const group = known ?? {
      log: unknownGroup(record.region, replay.fromStart),
      entries: [],
      restored: undefined,
      restoredAt: 0,
    };
    if (known === undefined) replay.groups.set(record.region, group);
    const judged = withRecord(group.log, record, segment);
    if (!judged.ok) return judged.detail;
    enter(replay, group, judged.group, record);
  }
  return undefined;
}

/** Brings the contents of `group` in line with `log`, which `record` has made of it. */
function enter(replay: Replay, group: ReplayedGroup, log: GroupLog, record: LogRecord): void {
  const { base } = group.log;
  group.log = log;
  switch (record.type) {
    case "append": {
      const first = record.entries[0]?.index;
      if (first === undefined) return;
      const keep = log.base === base ? first - base - 1 : 0;
      group.entries.length = Math.min(group.entries.length, Math.max(0, keep));
      for (const entry of record.entries) group.entries.push(entry);
      return;
    }
    case "compact":
      group.entries.splice(0, log.base - base);
      if (log.snapshot === undefined) group.restored = undefined;
      return;
    case "begin":
      return;
    case "restore":
      replay.restores += 1;
      group.entries = [];
      group.restored = {
        metadata: record.metadata,
        chunks: record.chunks,
        tables: record.tables,
      };
      group.restoredAt = replay.restores;
      return;
    case "destroy":
      group.entries = [];
      group.restored = undefined;
      return;
  }
}
