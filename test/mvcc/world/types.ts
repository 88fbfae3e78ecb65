/**
 * What goes on in a world of clients and stores, for the checks at its end.
 */
import type { Key } from "../../../engine/base/bytes.ts";
import type { MvccRead, MvccWrite } from "../../../engine/mvcc/calls.ts";
import type { TikvReply } from "../../../engine/protocol/services.ts";

export type WriteKind = "put" | "long" | "delete" | "lock" | "insert";

/** What a client is going to do. */
export interface Plan {
  /** The first one is the primary key. */
  readonly writes: ReadonlyMap<Key, WriteKind>;
  readonly commit: "two_phase" | "async" | "one_phase";
  /** Keys that it locks first, written or not; undefined in an optimistic transaction. */
  readonly locks: ReadonlySet<Key> | undefined;
  /** Whether each key is prewritten by a request of its own, the primary one last. */
  readonly isSplit: boolean;
  /** So far above its own start may a commit timestamp be calculated; 0: any. */
  readonly reach: bigint;
}

/** A transaction as its client knows it. */
export interface Transaction {
  readonly startTs: bigint;
  readonly plan: Plan;
  /** What it told its user. */
  verdict: "unknown" | "committed" | "aborted";
  /** Where `verdict` is "committed". */
  commitTs: bigint;
  /** The greatest commit timestamp that some user knew of when this one began to commit. */
  after: bigint;
  /** The timestamp that its prewrites name; 0 in an optimistic one. */
  forUpdateTs: bigint;
  /** At which timestamp each key was locked, as the client was told. */
  readonly lockedAt: Map<Key, bigint>;
}

/** A read that a store answered. */
export interface SeenRead {
  readonly key: Key;
  readonly readTs: bigint;
  /** Undefined: nothing. */
  readonly value: string | undefined;
}

/** What somebody was told about a transaction. */
export interface SeenStatus {
  readonly startTs: bigint;
  /** 0: rolled back. */
  readonly commitTs: bigint;
}

/** A request to the store of `key`. */
export interface Send {
  readonly key: Key;
  readonly call: MvccRead | MvccWrite;
}

/** What a client is: it sends a request, and is given the reply, or nothing. */
export type Client = Generator<Send, void, TikvReply | undefined>;
/** A part of one, with a result. */
export type Part<T> = Generator<Send, T, TikvReply | undefined>;
