/**
 * Reading one key.
 */
import { EMPTY_BYTES, type Key } from "../../base/bytes.ts";
import { type Timestamp, ZERO_TIMESTAMP } from "../../base/timestamp.ts";
import { IsolationLevel } from "../../protocol/gen/kvrpcpb.ts";
import { encodeKey } from "../keys.ts";
import { type Outcome, done, refused } from "../outcome.ts";
import type { Lock } from "../record/lock.ts";
import type { MvccReader } from "./reader.ts";
import { type Snapshot, checksLocks, conflictOf, newerVersion } from "./snapshot.ts";

export interface Found {
  /** A view of what is stored; empty where only keys are asked for. */
  readonly value: Uint8Array;
  /** 0 where it was read out of a lock. */
  readonly commitTs: Timestamp;
}

export interface ReadOptions {
  readonly keyOnly: boolean;
  /** Whether the commit timestamp is asked for, which no lock can tell. */
  readonly needCommitTs: boolean;
}

/** What `snapshot` sees of the user's key `user`; undefined where it sees nothing. */
export function readKey(
  reader: MvccReader,
  snapshot: Snapshot,
  user: Key,
  options: ReadOptions,
): Outcome<Found | undefined> {
  const key = encodeKey(user);
  const lock = checksLocks(snapshot) ? reader.lock(key) : undefined;
  const conflict = lock === undefined ? undefined : conflictOf(snapshot, user, lock);
  if (lock !== undefined && conflict !== undefined) {
    return isReadable(snapshot, lock, options)
      ? done(foundInLock(reader, key, lock, options))
      : refused(conflict);
  }
  const { readTs } = snapshot;
  const versions = reader.versions(key);
  if (snapshot.isolation === IsolationLevel.RCCheckTS) {
    const newest = versions.newest();
    if (newest !== undefined && newest.commitTs > readTs) {
      const { commitTs } = newest;
      return refused(newerVersion(snapshot, user, ZERO_TIMESTAMP, commitTs, "" as Key));
    }
  }
  const version = versions.visibleAt(readTs, readTs);
  if (version === undefined) return done(undefined);
  const { commitTs, write } = version;
  const value = options.keyOnly ? EMPTY_BYTES : reader.value(key, write);
  return done(value === undefined ? undefined : { value, commitTs });
}

/** Whether what `lock` holds has committed for this reader. */
export const isReadable = (snapshot: Snapshot, lock: Lock, options: ReadOptions): boolean =>
  !options.needCommitTs && snapshot.committed.has(lock.startTs);

/** What a lock that is in the way holds: the data of a put, or nothing. */
export function foundInLock(
  reader: MvccReader,
  key: Key,
  lock: Lock,
  options: ReadOptions,
): Found | undefined {
  if (lock.type !== "put") return undefined;
  const value = options.keyOnly ? EMPTY_BYTES : reader.value(key, lock);
  return value === undefined ? undefined : { value, commitTs: ZERO_TIMESTAMP };
}
