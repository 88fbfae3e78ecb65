/**
 * The changes of one command as they come together.
 */
import type { Key } from "../base/bytes.ts";
import type { Timestamp } from "../base/timestamp.ts";
import type { LockInfo } from "../protocol/gen/kvrpcpb.ts";
import type { KvOperation } from "../storage/types.ts";
import type { MemoryLock, ReleasedLock } from "./evaluation.ts";
import { versionKey } from "./keys.ts";
import { type Lock, encodeLock, isPessimisticTransaction } from "./record/lock.ts";
import { type Write, encodeWrite } from "./record/write.ts";

/** All keys are encoded ones. */
export class Draft {
  readonly operations: KvOperation[] = [];
  readonly released: ReleasedLock[] = [];
  readonly memoryLocks: MemoryLock[] = [];
  blockedBy: LockInfo | undefined;

  putLock(key: Key, lock: Lock): void {
    this.operations.push({ type: "put", cf: "lock", key, value: encodeLock(lock) });
  }

  /** Takes `lock` away, which committed at `commitTs`, or rolled back where that is 0. */
  unlock(key: Key, lock: Lock, commitTs: Timestamp): void {
    this.operations.push({ type: "delete", cf: "lock", key });
    const isPessimistic = isPessimisticTransaction(lock);
    this.released.push({ key, startTs: lock.startTs, commitTs, isPessimistic });
  }

  putWrite(key: Key, commitTs: Timestamp, write: Write): void {
    const value = encodeWrite(write);
    this.operations.push({ type: "put", cf: "write", key: versionKey(key, commitTs), value });
  }

  deleteWrite(key: Key, commitTs: Timestamp): void {
    this.operations.push({ type: "delete", cf: "write", key: versionKey(key, commitTs) });
  }

  /** Keeps `value`. */
  putValue(key: Key, startTs: Timestamp, value: Uint8Array): void {
    this.operations.push({ type: "put", cf: "default", key: versionKey(key, startTs), value });
  }

  deleteValue(key: Key, startTs: Timestamp): void {
    this.operations.push({ type: "delete", cf: "default", key: versionKey(key, startTs) });
  }

  /** Removes [start, end) of all families; an empty end is no bound. */
  deleteRange(start: Key, end: Key): void {
    for (const cf of ["default", "lock", "write"] as const) {
      this.operations.push({ type: "delete_range", cf, start, end });
    }
  }

  /** As if nothing had been drafted. */
  clear(): void {
    this.operations.length = 0;
    this.released.length = 0;
    this.memoryLocks.length = 0;
    this.blockedBy = undefined;
  }
}
