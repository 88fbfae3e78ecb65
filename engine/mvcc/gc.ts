/**
 * Garbage: versions that no reader at or above the safe point can see.
 *
 * Of the versions at or below the safe point, all are garbage but the newest put; a delete that is
 * newest is garbage as well, once everything before it is gone. Locks and rollbacks say something
 * only about transactions older than the safe point, of which there are none any more.
 */
import type { Key } from "../base/bytes.ts";
import type { Timestamp } from "../base/timestamp.ts";
import type { KvOperation } from "../storage/types.ts";
import type { KvView } from "../storage/view.ts";
import { Draft } from "./draft.ts";
import { MvccReader, type RecordDamage } from "./read/reader.ts";
import type { Version } from "./read/versions.ts";
import { isBehindFence, type Write } from "./record/write.ts";

/** What to do with a version of a key. */
export type GcVerdict =
  | "keep"
  | "drop"
  /** Drop it, but only after all older versions of the key are gone. */
  | "drop_last";

/** What is looked at of a record. */
export type Judged = Pick<Write, "type" | "gcFence">;

/**
 * Judges the versions of one key, told newest first. Nothing about it depends on versions that it
 * was not told of above the safe point.
 */
export class GcJudge {
  private readonly safePoint: Timestamp;
  private phase: "newer" | "newest" | "older" = "newer";

  constructor(safePoint: Timestamp) {
    this.safePoint = safePoint;
  }

  judge(commitTs: Timestamp, write: Judged): GcVerdict {
    if (this.phase === "newer" && commitTs <= this.safePoint) this.phase = "newest";
    if (this.phase === "newer") return "keep";
    if (this.phase === "older" || write.type === "lock" || write.type === "rollback") return "drop";
    this.phase = "older";
    // The version that its fence names is gone: this one came back after it was collected.
    const isBack = isBehindFence(write, this.safePoint);
    return write.type === "put" && !isBack ? "keep" : "drop_last";
  }
}

export interface Collected {
  readonly operations: readonly KvOperation[];
  /** Versions that were looked at. */
  readonly found: number;
  readonly dropped: number;
  /** Whether that was all; otherwise ask again once the operations are applied. */
  readonly complete: boolean;
  /** A record that could not be read: nothing of the key is touched. */
  readonly damage: RecordDamage | undefined;
}

/** What is garbage of an encoded key, at most `limit` versions at once. */
export function collectGarbage(
  view: KvView,
  key: Key,
  safePoint: Timestamp,
  limit: number,
): Collected {
  const reader = new MvccReader(view);
  const draft = new Draft();
  const judge = new GcJudge(safePoint);
  const versions = reader.versions(key);
  let found = 0;
  let dropped = 0;
  let last: Version | undefined;
  let version = versions.atOrBefore(safePoint);
  for (; version !== undefined && dropped < limit; version = versions.older()) {
    found += 1;
    const verdict = judge.judge(version.commitTs, version.write);
    if (verdict === "keep") continue;
    if (verdict === "drop_last") last = version;
    else {
      drop(draft, key, version);
      dropped += 1;
    }
  }
  const complete = version === undefined;
  if (complete && last !== undefined) {
    drop(draft, key, last);
    dropped += 1;
  }
  const { damage } = reader;
  if (damage !== undefined) return { operations: [], found, dropped: 0, complete: true, damage };
  return { operations: draft.operations, found, dropped, complete, damage };
}

function drop(draft: Draft, key: Key, { commitTs, write }: Version): void {
  draft.deleteWrite(key, commitTs);
  if (hasLongValue(write)) draft.deleteValue(key, write.startTs);
}

/** Whether a record's value lies in `default`. */
export const hasLongValue = ({ type, shortValue }: Write): boolean =>
  type === "put" && shortValue === undefined;
