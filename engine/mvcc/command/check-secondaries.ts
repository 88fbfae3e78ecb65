/**
 * Asking the secondary keys of an asynchronously committed transaction whether they are locked. If
 * all are, it has committed; if one is not, it never will, and a record sees to that.
 */
import type { Key } from "../../base/bytes.ts";
import { Timestamp } from "../../base/timestamp.ts";
import {
  type CheckSecondaryLocksRequest,
  CheckSecondaryLocksResponse,
  type LockInfo,
} from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Evaluation, type Work, evaluate } from "../evaluation.ts";
import { fateOf } from "../key/fate.ts";
import { collapse, dropPessimisticLock, leaveProtectedRollback } from "../key/rollback.ts";
import { encodeKey } from "../keys.ts";
import { done, refused } from "../outcome.ts";
import { lockInfoOf } from "../refusal.ts";
import { checkTimestamps } from "./request.ts";
import { REFUSE } from "./refuse.ts";

type SecondaryStatus =
  | { readonly type: "locked"; readonly info: LockInfo }
  | { readonly type: "committed"; readonly commitTs: Timestamp }
  | { readonly type: "rolled_back" };

export const keysOfCheckSecondaries = (request: CheckSecondaryLocksRequest): readonly Key[] =>
  request.keys.map(encodeKey);

export const checkSecondaries = (
  view: KvView,
  request: CheckSecondaryLocksRequest,
): Evaluation<CheckSecondaryLocksResponse> =>
  evaluate(view, REFUSE.KvCheckSecondaryLocks, (work) => {
    const { startVersion, keys } = request;
    const bad = checkTimestamps({ start_version: startVersion });
    if (bad !== undefined) return refused(bad);
    const locks: LockInfo[] = [];
    for (const key of keys) {
      const status = statusOf(work, key, Timestamp(startVersion));
      if (status.type === "committed") {
        return done(CheckSecondaryLocksResponse.make({ commitTs: status.commitTs }));
      }
      // One key decides for all. Neither locks nor a timestamp: rolled back.
      if (status.type === "rolled_back") return done(CheckSecondaryLocksResponse.make());
      locks.push(status.info);
    }
    return done(CheckSecondaryLocksResponse.make({ locks }));
  });

function statusOf(work: Work, user: Key, startTs: Timestamp): SecondaryStatus {
  const { reader } = work;
  const key = encodeKey(user);
  const lock = reader.lock(key);
  const isOwn = lock !== undefined && lock.startTs === startTs;
  if (isOwn && lock.type !== "pessimistic") {
    return { type: "locked", info: lockInfoOf(lock, user) };
  }
  // A pessimistic lock is as good as none: nothing has been written.
  if (isOwn) dropPessimisticLock(work, user, lock);
  const fate = fateOf(reader, key, startTs);
  if (fate.type !== "unknown") return fate;
  leaveProtectedRollback(work, key, startTs, isOwn ? undefined : lock, fate.overlapped);
  if (fate.overlapped === undefined) collapse(work, key, startTs);
  return { type: "rolled_back" };
}
