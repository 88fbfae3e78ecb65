/**
 * Resolving locks of transactions whose fate is known: of the keys named, of all keys of one
 * transaction, or of many transactions.
 */
import type { Key } from "../../base/bytes.ts";
import { Timestamp, ZERO_TIMESTAMP } from "../../base/timestamp.ts";
import { type ResolveLockRequest, ResolveLockResponse } from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Evaluation, type Work, evaluate } from "../evaluation.ts";
import { commitKey } from "../key/commit.ts";
import { rollbackKey } from "../key/rollback.ts";
import { encodeKey } from "../keys.ts";
import { type Outcome, done, refused } from "../outcome.ts";
import { type Part, lockedPart, wholePart } from "./part.ts";
import { checkCommitTs, checkTimestamps } from "./request.ts";
import type { KeyRange } from "./scan.ts";
import { REFUSE } from "./refuse.ts";

/** The locks to be resolved within `range`, where the request names no keys. */
export function partOfResolveLock(
  view: KvView,
  request: ResolveLockRequest,
  range: KeyRange,
): Part {
  if (request.keys.length > 0) return wholePart(request.keys.map(encodeKey));
  const fates = fatesOf(request);
  return lockedPart(view, range, (lock) => fates.has(lock.startTs));
}

/** When each transaction committed; 0: it was rolled back. */
export function fatesOf(request: ResolveLockRequest): ReadonlyMap<bigint, bigint> {
  const { startVersion, commitVersion, txnInfos } = request;
  if (startVersion > 0n) return new Map([[startVersion, commitVersion]]);
  return new Map(txnInfos.map(({ txn, status }) => [txn, status]));
}

/** Resolves the locks on the encoded `keys` of a part. */
export const resolveLock = (
  view: KvView,
  request: ResolveLockRequest,
  keys: readonly Key[],
): Evaluation<ResolveLockResponse> =>
  evaluate(view, REFUSE.KvResolveLock, (work) => {
    const fates = fatesOf(request);
    for (const [startTs, commitTs] of fates) {
      const bad =
        checkTimestamps({ start_version: startTs }) ??
        (commitTs === 0n ? undefined : checkCommitTs(startTs, commitTs));
      if (bad !== undefined) return refused(bad);
    }
    if (request.keys.length > 0) return resolveNamed(work, request);
    return resolveFound(work, fates, keys);
  });

function resolveNamed(work: Work, request: ResolveLockRequest): Outcome<ResolveLockResponse> {
  const { keys, startVersion, commitVersion } = request;
  const bad = checkTimestamps({ start_version: startVersion });
  if (bad !== undefined) return refused(bad);
  for (const user of keys) {
    const outcome = resolveKey(work, user, Timestamp(startVersion), Timestamp(commitVersion));
    if (!outcome.ok) return outcome;
  }
  return done(ResolveLockResponse.make());
}

/** What was found may have been resolved meanwhile, by somebody who named it. */
function resolveFound(
  work: Work,
  fates: ReadonlyMap<bigint, bigint>,
  keys: readonly Key[],
): Outcome<ResolveLockResponse> {
  for (const key of keys) {
    const lock = work.reader.lock(key);
    const commitTs = lock === undefined ? undefined : fates.get(lock.startTs);
    if (lock === undefined || commitTs === undefined) continue;
    const user = work.reader.userKey("lock", key);
    if (user === undefined) break;
    const outcome = resolveKey(work, user, lock.startTs, Timestamp(commitTs));
    if (!outcome.ok) return outcome;
  }
  return done(ResolveLockResponse.make());
}

const resolveKey = (
  work: Work,
  user: Key,
  startTs: Timestamp,
  commitTs: Timestamp,
): Outcome<unknown> =>
  commitTs === ZERO_TIMESTAMP
    ? rollbackKey(work, user, startTs, ZERO_TIMESTAMP, false)
    : commitKey(work, user, startTs, commitTs);
