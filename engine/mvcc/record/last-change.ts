/**
 * Where the last change of a key's data lies behind a record that changes none (a lock that became
 * a `lock` record). A reader jumps there instead of walking over all such records.
 *
 *   l   commit timestamp (u64), count of versions up to there (varint)
 *       0 and more than 0: the key has no data before this record. Not written where unknown.
 */
import type { Timestamp } from "../../base/timestamp.ts";
import type { FieldReader, FieldWriter } from "./fields.ts";

export type LastChange =
  | { readonly type: "unknown" }
  /** No put is visible before this record: nothing was, or a delete was last. */
  | { readonly type: "none" }
  | {
      readonly type: "at";
      /** Of a put or a delete. */
      readonly commitTs: Timestamp;
      /** About how many versions lie between, and that one. */
      readonly versions: number;
    };

export const UNKNOWN_CHANGE: LastChange = Object.freeze({ type: "unknown" });
export const NO_CHANGE: LastChange = Object.freeze({ type: "none" });

export const LAST_CHANGE_TAG = "l";

export function writeLastChange(to: FieldWriter, change: LastChange): void {
  if (change.type === "unknown") return;
  to.tag(LAST_CHANGE_TAG);
  to.u64(change.type === "at" ? change.commitTs : 0n);
  to.count(change.type === "at" ? change.versions : 1);
}

/** What follows the tag. */
export function readLastChange(from: FieldReader): LastChange {
  const commitTs = from.timestamp();
  const versions = from.count();
  if (versions === 0) from.fail();
  return commitTs === 0n ? NO_CHANGE : { type: "at", commitTs, versions };
}
