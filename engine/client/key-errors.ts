/** What a store says of a key, as an error of the client. */
import { hex } from "../base/bytes.ts";
import type { KeyError } from "../protocol/gen/kvrpcpb.ts";
import { ClientError } from "./errors.ts";

/** For everything but a lock in the way, which is waited for. */
export function keyFailure(error: KeyError): ClientError {
  if (error.conflict !== undefined) {
    const { key, startTs, conflictTs, conflictCommitTs } = error.conflict;
    const other = `${conflictTs}, committed at ${conflictCommitTs}`;
    const text = `transaction ${startTs} meets ${other}, on key ${hex(key)}`;
    return new ClientError("conflict", text);
  }
  if (error.alreadyExist !== undefined) {
    return new ClientError("exists", `key ${hex(error.alreadyExist.key)} is there already`);
  }
  if (error.deadlock !== undefined) {
    const { lockTs, lockKey } = error.deadlock;
    const text = `waiting for transaction ${lockTs} on key ${hex(lockKey)} would never end`;
    return new ClientError("deadlock", text);
  }
  if (error.assertionFailed !== undefined) {
    const text = `an assertion failed on key ${hex(error.assertionFailed.key)}`;
    return new ClientError("refused", text);
  }
  if (error.txnLockNotFound !== undefined || error.txnNotFound !== undefined) {
    return new ClientError("conflict", "the transaction's locks are gone: it was rolled back");
  }
  if (error.retryable !== "") return new ClientError("conflict", error.retryable);
  if (error.abort !== "") return new ClientError("conflict", error.abort);
  if (error.locked !== undefined) {
    const { key, lockVersion } = error.locked;
    return new ClientError("conflict", `transaction ${lockVersion} holds key ${hex(key)}`);
  }
  return new ClientError("refused", "the store gave no reason that this client knows");
}
