/**
 * Goes over the versions of a range and finds what is garbage at a safe point: what compactions do
 * not reach, or leave to it.
 */
import type { Key } from "../base/bytes.ts";
import type { Timestamp } from "../base/timestamp.ts";
import type { KvOperation } from "../storage/types.ts";
import type { KvCursor, KvView } from "../storage/view.ts";
import { collectGarbage, GcJudge } from "./gc.ts";
import { afterVersions, decodeKey, keyOfVersion, timestampOfVersion, versionKey } from "./keys.ts";
import type { KeyRange } from "./command/scan.ts";
import { decodeWrite } from "./record/write.ts";

/** So many versions newer than the safe point are stepped over before the rest is leapt over. */
const NEAR_STEPS = 8;

export interface Swept {
  /** Deletes of what is garbage. */
  readonly operations: readonly KvOperation[];
  /** Where to go on, once the operations are applied; undefined: the range has been seen. */
  readonly next: Key | undefined;
  /** Records that were looked at. */
  readonly looked: number;
  /** Whether there are versions above the safe point, which may become garbage without a write. */
  readonly newer: boolean;
}

/** Of [start, end), where an empty end is no bound; ends when about `limit` records are seen. */
export function sweep(
  view: KvView,
  { start, end }: KeyRange,
  safePoint: Timestamp,
  limit: number,
): Swept {
  const cursor = view.cursor("write", { lower: start, upper: end });
  const operations: KvOperation[] = [];
  let looked = 0;
  let newer = false;
  for (cursor.seek(start); cursor.valid;) {
    const stored = cursor.key;
    const key = keyOfVersion(stored);
    if (looked >= limit) return { operations, next: key, looked, newer };
    if (decodeKey(key) === undefined) {
      looked += 1;
      cursor.next();
      continue;
    }
    const seen = look(cursor, key, safePoint);
    looked += seen.looked;
    newer ||= seen.newer;
    if (!seen.garbage) continue;
    const collected = collectGarbage(view, key, safePoint, Math.max(limit - looked, 1));
    for (const operation of collected.operations) operations.push(operation);
    looked += collected.found;
    // The next look begins with the same key, of which this much is gone by then.
    if (!collected.complete) return { operations, next: key, looked, newer };
    cursor.seek(afterVersions(key));
  }
  return { operations, next: undefined, looked, newer };
}

/**
 * Looks for garbage among the versions of `key`, at the first of which `cursor` stands. Where there
 * is none, or a record cannot be read, the cursor stands behind them afterwards.
 */
function look(
  cursor: KvCursor,
  key: Key,
  safePoint: Timestamp,
): { readonly looked: number; readonly newer: boolean; readonly garbage: boolean } {
  const judge = new GcJudge(safePoint);
  let looked = 0;
  let above = 0;
  while (cursor.valid && cursor.key.startsWith(key)) {
    looked += 1;
    const commitTs = timestampOfVersion(cursor.key);
    const decoded = decodeWrite(cursor.value);
    if (commitTs === undefined || !decoded.ok) {
      cursor.seek(afterVersions(key));
      break;
    }
    if (commitTs > safePoint) above += 1;
    if (judge.judge(commitTs, decoded.write) !== "keep") {
      return { looked, newer: above > 0, garbage: true };
    }
    if (above === NEAR_STEPS && commitTs > safePoint) cursor.seek(versionKey(key, safePoint));
    else cursor.next();
  }
  return { looked, newer: above > 0, garbage: false };
}
