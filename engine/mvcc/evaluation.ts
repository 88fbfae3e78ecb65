/**
 * What comes out of a command: the operations to be replicated, the answer to be given once they
 * are applied, and what the owner has to know besides. A command that is refused changes nothing.
 */
import type { Key } from "../base/bytes.ts";
import type { Timestamp } from "../base/timestamp.ts";
import type { KeyError, LockInfo } from "../protocol/gen/kvrpcpb.ts";
import type { KvOperation } from "../storage/types.ts";
import type { KvView } from "../storage/view.ts";
import { Draft } from "./draft.ts";
import type { Outcome } from "./outcome.ts";
import { MvccReader, type RecordDamage } from "./read/reader.ts";
import { type Refusal, keyErrorOf } from "./refusal.ts";
import type { Lock } from "./record/lock.ts";

export interface Evaluation<Response> {
  readonly operations: readonly KvOperation[];
  readonly response: Response;
  /** Locks that will be gone: whoever waits for one can be woken. */
  readonly released: readonly ReleasedLock[];
  /**
   * Locks that reads must see from this moment on until the operations are applied: those of
   * transactions whose commit timestamp was calculated against `max_ts` just now.
   */
  readonly memoryLocks: readonly MemoryLock[];
  /** Of a pessimistic lock request: the lock it met, which the owner may let it wait for. */
  readonly blockedBy: LockInfo | undefined;
  /** The record that kept the command from being evaluated; the response says so too. */
  readonly damage: RecordDamage | undefined;
}

export interface ReleasedLock {
  /** Encoded. */
  readonly key: Key;
  readonly startTs: Timestamp;
  /** 0 where it was rolled back. */
  readonly commitTs: Timestamp;
  /** Whether somebody may wait for it: it belonged to a pessimistic transaction. */
  readonly isPessimistic: boolean;
}

export interface MemoryLock {
  /** Encoded. */
  readonly key: Key;
  readonly lock: Lock;
  /** Whether the transaction commits in this very step, so that no read may skip it. */
  readonly onePhase: boolean;
}

/** What a command reads through and writes into. */
export interface Work {
  readonly reader: MvccReader;
  readonly draft: Draft;
}

export const NOTHING: readonly never[] = [];

/** Evaluates a command on `view`. `refuse` makes the answer that tells the client of an error. */
export function evaluate<Response>(
  view: KvView,
  refuse: (error: KeyError) => Response,
  command: (work: Work) => Outcome<Response>,
): Evaluation<Response> {
  const reader = new MvccReader(view);
  const draft = new Draft();
  const outcome = command({ reader, draft });
  if (reader.damage !== undefined) {
    return nothing(refuse, { type: "damaged", damage: reader.damage });
  }
  if (!outcome.ok) return nothing(refuse, outcome.refusal);
  return {
    operations: draft.operations,
    response: outcome.value,
    released: draft.released,
    memoryLocks: draft.memoryLocks,
    blockedBy: draft.blockedBy,
    damage: undefined,
  };
}

function nothing<Response>(
  refuse: (error: KeyError) => Response,
  refusal: Refusal,
): Evaluation<Response> {
  return {
    operations: NOTHING,
    response: refuse(keyErrorOf(refusal)),
    released: NOTHING,
    memoryLocks: NOTHING,
    blockedBy: undefined,
    damage: refusal.type === "damaged" ? refusal.damage : undefined,
  };
}
