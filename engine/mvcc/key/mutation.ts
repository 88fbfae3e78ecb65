/**
 * A mutation as a request names it, and what all mutations of a request have in common.
 */
import type { Key } from "../../base/bytes.ts";
import type { Timestamp } from "../../base/timestamp.ts";
import type {
  Assertion,
  AssertionLevel,
  PrewriteRequest_PessimisticAction,
} from "../../protocol/gen/kvrpcpb.ts";

/** `insert` is a put of what must not exist; `check_not_exists` writes nothing. */
export type MutationType = "put" | "delete" | "lock" | "insert" | "check_not_exists";

export interface KeyMutation {
  readonly type: MutationType;
  /** The user's key. */
  readonly user: Key;
  /** Encoded. */
  readonly key: Key;
  /** Of a put or an insert. */
  readonly value: Uint8Array;
  readonly assertion: Assertion;
  /** What to check where the transaction is pessimistic. */
  readonly action: PrewriteRequest_PessimisticAction;
  /** What the timestamp of the key's pessimistic lock must be, where the client knows it. */
  readonly expectedForUpdateTs: Timestamp | undefined;
}

/** How the transaction is going to commit. */
export type CommitKind = "two_phase" | "asynchronous" | "one_phase";

export interface Prewriting {
  readonly startTs: Timestamp;
  readonly primary: Key;
  readonly ttlMs: number;
  readonly txnSize: bigint;
  readonly minCommitTs: Timestamp;
  /** 0 in an optimistic transaction. */
  readonly forUpdateTs: Timestamp;
  /** No key of the request has a version. */
  readonly noVersions: boolean;
  readonly assertionLevel: AssertionLevel;
  readonly txnSource: bigint;
  readonly commitKind: CommitKind;
  /** All keys but the primary one, where the transaction commits asynchronously. */
  readonly secondaries: readonly Key[] | undefined;
  /** No read at a greater timestamp was answered here. */
  readonly maxTs: Timestamp;
  /** A calculated commit timestamp must not be greater; 0: it may. */
  readonly maxCommitTs: Timestamp;
  /** Of the flush of a pipelined transaction; 0 otherwise. */
  readonly generation: number;
}

/** Whether the key must not exist. */
export const mustNotExist = (mutation: KeyMutation): boolean =>
  mutation.type === "insert" || mutation.type === "check_not_exists";

export const isPessimistic = (txn: Prewriting): boolean => txn.forUpdateTs !== 0n;
