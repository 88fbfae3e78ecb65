/**
 * Giving pessimistic locks up: of the keys named, or of all keys. No record stays, for the
 * transaction may take them again.
 */
import type { Key } from "../../base/bytes.ts";
import { Timestamp } from "../../base/timestamp.ts";
import {
  type PessimisticRollbackRequest,
  PessimisticRollbackResponse,
} from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Evaluation, evaluate } from "../evaluation.ts";
import { encodeKey } from "../keys.ts";
import { done, refused } from "../outcome.ts";
import type { Lock } from "../record/lock.ts";
import { type Part, lockedPart, wholePart } from "./part.ts";
import { checkTimestamps } from "./request.ts";
import type { KeyRange } from "./scan.ts";
import { REFUSE } from "./refuse.ts";

/** The locks to be given up within `range`, where the request names no keys. */
export const partOfPessimisticRollback = (
  view: KvView,
  request: PessimisticRollbackRequest,
  range: KeyRange,
): Part =>
  request.keys.length > 0
    ? wholePart(request.keys.map(encodeKey))
    : lockedPart(view, range, (lock) => isMeant(request, lock));

/** A lock taken at a later timestamp than the client knew of when it gave up is not meant. */
const isMeant = (request: PessimisticRollbackRequest, lock: Lock): boolean =>
  lock.type === "pessimistic" &&
  lock.startTs === request.startVersion &&
  lock.forUpdateTs <= request.forUpdateTs;

/** Gives up the locks on the encoded `keys` of a part. */
export const pessimisticRollback = (
  view: KvView,
  request: PessimisticRollbackRequest,
  keys: readonly Key[],
): Evaluation<PessimisticRollbackResponse> =>
  evaluate(view, REFUSE.KVPessimisticRollback, ({ reader, draft }) => {
    const bad = checkTimestamps({ start_version: request.startVersion });
    if (bad !== undefined) return refused(bad);
    for (const key of keys) {
      const lock = reader.lock(key);
      if (lock !== undefined && isMeant(request, lock)) draft.unlock(key, lock, Timestamp(0n));
    }
    return done(PessimisticRollbackResponse.make());
  });
