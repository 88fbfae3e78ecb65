/**
 * What the log remembers of one group besides the bytes on disk: its newest facts, which entries
 * lie in which segment, and so which segments it still needs. The same rules judge records on
 * their way to disk, where breaking one is a wrong program, and on their way back, where it is
 * damage.
 */
import { unreachable } from "../../base/assert.ts";
import { LogIndex, PeerId, Term, maxIndex, previousIndex } from "../../base/ids.ts";
import type { RegionId } from "../../base/ids.ts";
import type { Entry, HardState } from "../../raft/types.ts";
import type { LogRecord } from "../types.ts";

/** Entries `first` to `last` lie in `segment`. */
export interface Span {
  readonly first: LogIndex;
  readonly last: LogIndex;
  readonly segment: number;
}

/** Index and term of the last entry that the log does not hold any more. */
export interface Truncated {
  readonly index: LogIndex;
  readonly term: Term;
}

export interface GroupLog {
  readonly region: RegionId;
  readonly hardState: HardState;
  readonly truncated: Truncated;
  /** Up to here no mark is needed: the group began there. */
  readonly begun: LogIndex;
  /**
   * Index before the first entry. Differs from `truncated.index` only while it is not `anchored`.
   */
  readonly base: LogIndex;
  /** Index of the last entry; `base` where there is none. */
  readonly last: LogIndex;
  /** Ascending and contiguous. */
  readonly spans: readonly Span[];
  /** A snapshot that no mark is known to hold yet. */
  readonly snapshot: { readonly index: LogIndex; readonly segment: number } | undefined;
  /** Set where the replica was destroyed, and nothing but hard states came after. */
  readonly tombstone: Uint8Array | undefined;
  /**
   * The segments with the newest hard state, and with the newest truncation or tombstone; 0 where
   * there is nothing to keep.
   */
  readonly hardStateIn: number;
  readonly truncatedIn: number;
  /**
   * False while a log is read whose first segments were removed: entries may be missing that later
   * records truncate or replace. In the end `base` must be `truncated.index` all the same.
   */
  readonly anchored: boolean;
}

export type Judged =
  | { readonly ok: true; readonly group: GroupLog }
  /** `detail` is a sentence about the record. */
  | { readonly ok: false; readonly detail: string };

export const NO_HARD_STATE: HardState = { term: Term(0), vote: PeerId(0), commit: LogIndex(0) };
const NOTHING_TRUNCATED: Truncated = { index: LogIndex(0), term: Term(0) };

/** The same group in the one shape of all (`docs/design/001-base-and-tree.md`). */
const shaped = (group: GroupLog): GroupLog => ({
  region: group.region,
  hardState: group.hardState,
  truncated: group.truncated,
  begun: group.begun,
  base: group.base,
  last: group.last,
  spans: group.spans,
  snapshot: group.snapshot,
  tombstone: group.tombstone,
  hardStateIn: group.hardStateIn,
  truncatedIn: group.truncatedIn,
  anchored: group.anchored,
});

/** A group of which nothing is known. */
export function unknownGroup(region: RegionId, anchored: boolean): GroupLog {
  return {
    region,
    hardState: NO_HARD_STATE,
    truncated: NOTHING_TRUNCATED,
    begun: LogIndex(0),
    base: LogIndex(0),
    last: LogIndex(0),
    spans: [],
    snapshot: undefined,
    tombstone: undefined,
    hardStateIn: 0,
    truncatedIn: 0,
    anchored,
  };
}

/** The group after `record`, which lies in `segment`. */
export function withRecord(group: GroupLog, record: LogRecord, segment: number): Judged {
  const judged = judge(group, record, segment);
  return judged.ok ? { ok: true, group: shaped(judged.group) } : judged;
}

function judge(group: GroupLog, record: LogRecord, segment: number): Judged {
  switch (record.type) {
    case "append":
      return appended(group, record.hardState, record.entries, segment);
    case "compact":
      return compacted(group, { index: record.index, term: record.term }, segment);
    case "begin":
      return began(group, { index: record.index, term: record.term }, segment);
    case "restore": {
      const { index, term } = record.metadata;
      return {
        ok: true,
        group: {
          ...unknownGroup(group.region, true),
          hardState: record.hardState,
          truncated: { index, term },
          base: index,
          last: index,
          snapshot: { index, segment },
          hardStateIn: segment,
          truncatedIn: segment,
        },
      };
    }
    case "destroy": {
      const fresh = unknownGroup(group.region, true);
      return { ok: true, group: { ...fresh, tombstone: record.meta, truncatedIn: segment } };
    }
    default:
      return unreachable(record);
  }
}

/** Records that say again what would be lost with the segments before `oldest`. */
export function repetition(group: GroupLog, oldest: number): LogRecord[] {
  const { region, hardState, truncated, tombstone } = group;
  const records: LogRecord[] = [];
  const truncatedGoes = group.truncatedIn !== 0 && group.truncatedIn < oldest;
  const hardStateGoes = group.hardStateIn !== 0 && group.hardStateIn < oldest;
  if (tombstone !== undefined && truncatedGoes) {
    records.push({ type: "destroy", region, meta: tombstone });
  }
  if (hardStateGoes || (records.length > 0 && group.hardStateIn !== 0)) {
    records.push({ type: "append", region, hardState, entries: [] });
  }
  if (tombstone === undefined && truncatedGoes) {
    const type = truncated.index === group.begun ? "begin" : "compact";
    records.push({ type, region, index: truncated.index, term: truncated.term });
  }
  return records;
}

/** The segments that hold entries or a snapshot of the group: they must stay. */
export function heldSegments(group: GroupLog): readonly number[] {
  const segments = group.spans.map((span) => span.segment);
  const snapshot = group.snapshot?.segment;
  if (snapshot !== undefined && !segments.includes(snapshot)) segments.push(snapshot);
  return segments;
}

function appended(
  group: GroupLog,
  hardState: HardState | undefined,
  entries: readonly Entry[],
  segment: number,
): Judged {
  const start = entries[0];
  if (start === undefined) {
    if (hardState === undefined) return { ok: true, group };
    return { ok: true, group: { ...group, hardState, hardStateIn: segment } };
  }
  for (let i = 1; i < entries.length; i++) {
    if (entries[i]!.index !== start.index + i) {
      return wrong(group, `entry ${entries[i]!.index} follows entry ${entries[i - 1]!.index}`);
    }
  }
  const first = start.index;
  if (first <= group.truncated.index) {
    return wrong(group, `entry ${first} is written over the truncated ${group.truncated.index}`);
  }
  // The first entries read, or read again from further back, say themselves where they start.
  const goesOn = group.anchored || (group.spans.length > 0 && first > group.base);
  if (goesOn && first > group.last + 1) {
    return wrong(group, `entries ${group.last + 1} to ${first - 1} are missing`);
  }
  const base = goesOn ? group.base : previousIndex(first);
  return {
    ok: true,
    group: {
      region: group.region,
      hardState: hardState ?? group.hardState,
      truncated: group.truncated,
      begun: group.begun,
      base,
      last: LogIndex(first + entries.length - 1),
      spans: withSpan(goesOn ? group.spans : [], {
        first,
        last: LogIndex(first + entries.length - 1),
        segment,
      }),
      snapshot: group.snapshot,
      tombstone: undefined,
      hardStateIn: hardState === undefined ? group.hardStateIn : segment,
      truncatedIn: group.tombstone === undefined ? group.truncatedIn : 0,
      anchored: group.anchored || base === group.truncated.index,
    },
  };
}

const spanOf = (first: LogIndex, last: LogIndex, segment: number): Span => ({
  first,
  last,
  segment,
});

/** Everything from the new span on is replaced by it. */
function withSpan(spans: readonly Span[], added: Span): readonly Span[] {
  const kept: Span[] = [];
  for (const span of spans) {
    if (span.first >= added.first) break;
    kept.push(
      span.last < added.first ? span : spanOf(span.first, previousIndex(added.first), span.segment),
    );
  }
  const before = kept[kept.length - 1];
  if (before?.segment === added.segment)
    kept[kept.length - 1] = spanOf(before.first, added.last, added.segment);
  else kept.push(added);
  return kept;
}

/** Said again at every replay of the split, so it changes nothing where the group has gone on. */
function began(group: GroupLog, truncated: Truncated, segment: number): Judged {
  if (group.begun >= truncated.index || group.truncated.index >= truncated.index) {
    return { ok: true, group };
  }
  if (group.anchored && group.spans.length > 0) {
    return wrong(group, `it begins at ${truncated.index}, and has entries already`);
  }
  const base = group.spans.length > 0 ? group.base : truncated.index;
  return {
    ok: true,
    group: {
      ...group,
      truncated,
      begun: truncated.index,
      base,
      last: maxIndex(group.last, base),
      tombstone: undefined,
      truncatedIn: segment,
      // Where this is a repetition, entries between it and the next ones may be missing here.
      anchored: group.anchored || (group.spans.length > 0 && base === truncated.index),
    },
  };
}

function compacted(group: GroupLog, truncated: Truncated, segment: number): Judged {
  const { index } = truncated;
  if (index < group.truncated.index) return { ok: true, group };
  const lastIsKnown = group.anchored || group.spans.length > 0;
  if (lastIsKnown && index > group.last) {
    return wrong(group, `it is truncated at ${index}, behind its last entry ${group.last}`);
  }
  const spans: Span[] = [];
  for (const span of group.spans) {
    if (span.last <= index) continue;
    spans.push(span.first > index ? span : spanOf(LogIndex(index + 1), span.last, span.segment));
  }
  const isHeld = group.snapshot !== undefined && group.snapshot.index > index;
  return {
    ok: true,
    group: {
      region: group.region,
      hardState: group.hardState,
      truncated,
      begun: group.begun,
      base: maxIndex(group.base, index),
      last: maxIndex(group.last, index),
      spans,
      snapshot: isHeld ? group.snapshot : undefined,
      tombstone: group.tombstone,
      hardStateIn: group.hardStateIn,
      truncatedIn: segment,
      anchored: group.anchored || (lastIsKnown && index >= group.base),
    },
  };
}

function wrong(group: GroupLog, what: string): Judged {
  return { ok: false, detail: `group ${group.region}: ${what}` };
}
