/**
 * What a compaction of the `write` family may leave out at a safe point. It sees some of a key's
 * versions, not all; yet of those at or below the safe point each one behind a newer put or delete
 * is garbage, whatever lies elsewhere.
 *
 * Two kinds it leaves to the sweep (`sweep.ts`), which sees all: a delete, because versions that it
 * hides may lie below; and a put whose value is in `default`, because value and record must go
 * together.
 */
import { EMPTY_KEY, type Key } from "../base/bytes.ts";
import { Timestamp } from "../base/timestamp.ts";
import type { EntryFilter } from "../storage/lsm/compaction/filter.ts";
import { GcJudge, hasLongValue } from "./gc.ts";
import { decodeKey, keyOfVersion, timestampOfVersion } from "./keys.ts";
import { decodeWrite } from "./record/write.ts";

/** The filter of one compaction at `safePoint`. */
export const garbageFilter = (safePoint: bigint): EntryFilter =>
  new VersionFilter(Timestamp(safePoint));

class VersionFilter implements EntryFilter {
  private readonly safePoint: Timestamp;
  /** The encoded key whose versions come at the moment. */
  private key: Key = EMPTY_KEY;
  /** Of that key; undefined once something of it could not be read. */
  private judge: GcJudge | undefined;

  constructor(safePoint: Timestamp) {
    this.safePoint = safePoint;
  }

  leavesOut(stored: Key, record: Uint8Array): boolean {
    const commitTs = timestampOfVersion(stored);
    if (commitTs === undefined || commitTs > this.safePoint) return false;
    const key = keyOfVersion(stored);
    if (key !== this.key) {
      this.key = key;
      // What is no version of a transactional key is not for this filter to judge.
      this.judge = decodeKey(key) === undefined ? undefined : new GcJudge(this.safePoint);
    }
    if (this.judge === undefined) return false;
    const decoded = decodeWrite(record);
    if (!decoded.ok) {
      this.judge = undefined;
      return false;
    }
    const verdict = this.judge.judge(commitTs, decoded.write);
    return verdict === "drop" && !hasLongValue(decoded.write);
  }
}
