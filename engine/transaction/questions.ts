/**
 * What a follower that reads must ask its leader besides an index: whether a commit below its
 * timestamp is being calculated, and that none will be. The question travels with the one for the
 * index, as its note, and the answer with the answer:
 *
 *   questions   [question, …], one for each read of the follower; nil where a read has none
 *   question    [timestamp, 0, [key, …]]  or  [timestamp, 1, start, end]
 *   verdicts    [lock or nil, …] in the same order; a lock is a `LockInfo` in its bytes
 *
 * Timestamps are bigints, keys encoded ones as one-byte strings. No bytes at all are a list of
 * nothing but nil.
 */
import { EMPTY_BYTES } from "../base/bytes.ts";
import { MAX_TIMESTAMP, type Timestamp } from "../base/timestamp.ts";
import {
  expectBytes,
  expectKeyText,
  expectList,
  expectOptional,
  expectTimestamp,
  malformed,
  type Wire,
} from "../base/wire.ts";
import type { Footprint } from "../mvcc/calls.ts";
import type { Snapshot } from "../mvcc/read/snapshot.ts";
import { IsolationLevel, LockInfo } from "../protocol/gen/kvrpcpb.ts";
import { type Concurrency, conflictWith, raise } from "./concurrency.ts";

/** A read that a follower is about to answer. */
export interface Question {
  readonly readTs: Timestamp;
  readonly footprint: Footprint;
}

type Questions = readonly (Question | undefined)[];
/** The lock that each read has to wait for, where there is one. */
export type Verdicts = readonly (LockInfo | undefined)[];

const NO_LOCKS: ReadonlySet<bigint> = new Set();

/**
 * The leader's part: afterwards no commit is calculated at or below the timestamps of those reads
 * that it lets pass.
 */
export function answer(
  concurrency: Concurrency,
  questions: Questions,
): { readonly concurrency: Concurrency; readonly verdicts: Verdicts } {
  let raised = concurrency;
  const verdicts = questions.map((question) => {
    if (question === undefined) return undefined;
    const { readTs, footprint } = question;
    if (readTs !== MAX_TIMESTAMP) raised = raise(raised, readTs);
    const snapshot: Snapshot = {
      readTs,
      isolation: IsolationLevel.SI,
      resolved: NO_LOCKS,
      committed: NO_LOCKS,
    };
    const refusal = conflictWith(raised, snapshot, footprint, true);
    return refusal?.type === "locked" ? refusal.info : undefined;
  });
  return { concurrency: raised, verdicts };
}

export function encodeQuestions(questions: Questions, wire: Wire): Uint8Array {
  if (questions.every((question) => question === undefined)) return EMPTY_BYTES;
  return wire.encode(
    questions.map((question) => {
      if (question === undefined) return null;
      const { readTs, footprint } = question;
      return footprint.type === "keys"
        ? [readTs, 0, footprint.keys]
        : [readTs, 1, footprint.range.start, footprint.range.end];
    }),
  );
}

/** Undefined where the bytes are something else. */
export function decodeQuestions(note: Uint8Array, wire: Wire): Questions | undefined {
  if (note.length === 0) return [];
  const decoded = wire.decodeWith(note, (value) =>
    expectList(value, (item, what) => expectOptional(item, questionOf, what), "questions"),
  );
  return decoded.ok ? decoded.value : undefined;
}

function questionOf(value: unknown, what: string): Question {
  if (!Array.isArray(value)) return malformed(`${what}: not a tuple`);
  const [readTs, kind, first, second] = value as readonly unknown[];
  const timestamp = expectTimestamp(readTs, "timestamp");
  if (kind === 0) {
    const keys = expectList(first, expectKeyText, "keys");
    return { readTs: timestamp, footprint: { type: "keys", keys } };
  }
  if (kind !== 1) return malformed(`${what}: of an unknown kind`);
  const range = { start: expectKeyText(first, "start"), end: expectKeyText(second, "end") };
  return { readTs: timestamp, footprint: { type: "range", range } };
}

export function encodeVerdicts(verdicts: Verdicts, wire: Wire): Uint8Array {
  if (verdicts.every((verdict) => verdict === undefined)) return EMPTY_BYTES;
  return wire.encode(
    verdicts.map((verdict) => (verdict === undefined ? null : LockInfo.encode(verdict))),
  );
}

/** Undefined where the bytes are something else. */
export function decodeVerdicts(note: Uint8Array, wire: Wire): Verdicts | undefined {
  if (note.length === 0) return [];
  const decoded = wire.decodeWith(note, (value) =>
    expectList(value, (item, what) => expectOptional(item, lockOf, what), "verdicts"),
  );
  return decoded.ok ? decoded.value : undefined;
}

function lockOf(value: unknown, what: string): LockInfo {
  const decoded = LockInfo.decode(expectBytes(value, what));
  return decoded.ok ? decoded.value : malformed(`${what}: not a lock`);
}
