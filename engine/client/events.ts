/** What the client library tells of itself: for a debug log, and to be counted. */
import type { Key } from "../base/bytes.ts";
import type { Timestamp } from "../base/timestamp.ts";
import type { BackoffClass } from "./backoff.ts";
import type { FailureReason } from "./errors.ts";

/** What has happened; times are in milliseconds. Told while it happens: take it and be quick. */
export type ClientEvent =
  /** Something is tried again after `ms`; `because` is a phrase for people. */
  | {
      readonly message: "back off";
      readonly class: BackoffClass;
      readonly ms: number;
      readonly because: string;
      readonly attempt: number;
    }
  | {
      readonly message: "committed";
      readonly startTs: Timestamp;
      readonly commitTs: Timestamp;
      readonly how: CommitMode;
      readonly keys: number;
      /** From the call of `commit` on. */
      readonly ms: number;
    }
  | {
      readonly message: "not committed";
      readonly startTs: Timestamp;
      readonly reason: FailureReason;
      readonly because: string;
      readonly ms: number;
    }
  /** Somebody else's lock was in the way, and its transaction is over. */
  | {
      readonly message: "lock cleared";
      readonly key: Key;
      readonly startTs: bigint;
      readonly fate: "committed" | "rolled_back";
    }
  /** Nobody waits for it: what is left undone, others clear away. */
  | { readonly message: "heartbeat failed" | "clean-up failed"; readonly because: string };

/** How a transaction was committed in the end. */
export type CommitMode = "one phase" | "asynchronous" | "two phases";
