/**
 * Data without what is garbage at a safe point. Each store collects by itself, so replicas are
 * equal in what remains, and only in that (docs/design/010-transactions.md, "Garbage").
 */
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import type { Timestamp } from "../../engine/base/timestamp.ts";
import { GcJudge, hasLongValue } from "../../engine/mvcc/gc.ts";
import { decodeKey, keyOfVersion, timestampOfVersion, versionKey } from "../../engine/mvcc/keys.ts";
import { decodeWrite } from "../../engine/mvcc/record/write.ts";
import type { KvCursor, KvView } from "../../engine/storage/view.ts";

/** Which entries of [start, end) nobody who reads at `safePoint` or later misses. */
export function garbageOf(view: KvView, start: Key, end: Key, safePoint: Timestamp): Garbage {
  const write = new Set<Key>();
  const values = new Set<Key>();
  if (safePoint === 0n) return { write, default: values, lock: NOTHING };
  const cursor = view.cursor("write", { lower: start, upper: end });
  let key: Key = EMPTY_KEY;
  let judge: GcJudge | undefined;
  for (cursor.seek(start); cursor.valid; cursor.next()) {
    const stored = cursor.key;
    const commitTs = timestampOfVersion(stored);
    const here = keyOfVersion(stored);
    if (here !== key) {
      key = here;
      judge = decodeKey(key) === undefined ? undefined : new GcJudge(safePoint);
    }
    const decoded = decodeWrite(cursor.value);
    if (commitTs === undefined || judge === undefined || !decoded.ok) continue;
    if (judge.judge(commitTs, decoded.write) === "keep") continue;
    write.add(stored);
    if (hasLongValue(decoded.write)) values.add(versionKey(key, decoded.write.startTs));
  }
  return { write, default: values, lock: NOTHING };
}

/** Keys as they are stored, by family. */
export interface Garbage {
  readonly write: ReadonlySet<Key>;
  readonly default: ReadonlySet<Key>;
  readonly lock: ReadonlySet<Key>;
}

const NOTHING: ReadonlySet<Key> = new Set();

/** Moves `cursor` on to the next entry that is not among `garbage`, if it stands at one. */
export function passGarbage(cursor: KvCursor, garbage: ReadonlySet<Key>): void {
  if (garbage.size === 0) return;
  while (cursor.valid && garbage.has(cursor.key)) cursor.next();
}
