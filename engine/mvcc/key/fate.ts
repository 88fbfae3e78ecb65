/**
 * What the write records of one key say about a transaction.
 */
import type { Key } from "../../base/bytes.ts";
import { type Timestamp, ZERO_TIMESTAMP } from "../../base/timestamp.ts";
import type { MvccReader } from "../read/reader.ts";
import { type Write, isChange } from "../record/write.ts";

export type Fate =
  | { readonly type: "committed"; readonly commitTs: Timestamp }
  | { readonly type: "rolled_back" }
  /**
   * No record. `overlapped` is another transaction's, committed at the very timestamp where a
   * rollback's would stand.
   */
  | { readonly type: "unknown"; readonly overlapped: OverlappedWrite | undefined };

export interface OverlappedWrite {
  readonly write: Write;
  /** The commit timestamp of the next put or delete, 0 where there is none. */
  readonly gcFence: Timestamp;
}

/** The fate of the transaction `startTs` on an encoded key. */
export function fateOf(reader: MvccReader, key: Key, startTs: Timestamp): Fate {
  const versions = reader.versions(key);
  let gcFence = ZERO_TIMESTAMP;
  // A pessimistic transaction that started early may commit late, so all versions down to its
  // start are looked at.
  for (let version = versions.newest(); version !== undefined; version = versions.older()) {
    const { commitTs, write } = version;
    if (write.startTs === startTs) {
      return write.type === "rollback" ? { type: "rolled_back" } : { type: "committed", commitTs };
    }
    if (commitTs === startTs) {
      return write.overlappedRollback
        ? { type: "rolled_back" }
        : { type: "unknown", overlapped: { write, gcFence } };
    }
    if (commitTs < startTs) break;
    if (isChange(write)) gcFence = commitTs;
  }
  return { type: "unknown", overlapped: undefined };
}

/** Whether a write record at `commitTs` says that the transaction `startTs` rolled back. */
export const tellsRollback = (commitTs: Timestamp, write: Write, startTs: Timestamp): boolean =>
  commitTs === startTs && (write.type === "rollback" || write.overlappedRollback);
