/** What a store remembers of transactional calls between steps. */
import { idKey } from "../../base/big-endian.ts";
import type { RegionId, StoreId, Term, Ticket } from "../../base/ids.ts";
import * as tree from "../../base/tree.ts";
import type { Tree } from "../../base/tree.ts";
import type { MvccWrite, Part } from "../../mvcc/calls.ts";
import type { MemoryLock, ReleasedLock } from "../../mvcc/evaluation.ts";
import type { TikvReply } from "../../protocol/services.ts";
import { type Concurrency, noConcurrency } from "../../transaction/concurrency.ts";
import type { KvOperation } from "../../storage/types.ts";
import { type Detector, noDetector } from "../../transaction/detector.ts";
import { type Latches, noLatches } from "../../transaction/latches.ts";
import type { Destroying } from "./destroying.ts";
import { type MemoryLocks, noMemoryLocks } from "./memory.ts";
import { type Oracle, unheardOracle } from "./oracle.ts";
import { notResolving, type Resolving } from "./resolving.ts";
import { noWaiters, type WaitQueues } from "../../transaction/waiting.ts";

export interface Transactions {
  readonly concurrency: Concurrency;
  readonly latches: Latches;
  /** Writes that are not answered yet, by `idKey` of the ticket. */
  readonly running: Tree<Running>;
  readonly waiting: WaitQueues;
  /** What this store knows as the one that leads the first region; empty while it does not. */
  readonly detector: Detector;
  readonly telling: Telling;
  readonly resolving: Resolving;
  readonly held: MemoryLocks;
  /**
   * By `idKey` of the region: the term in which this store, as its leader, has learned that no
   * predecessor has read above `maxTs`.
   */
  readonly synced: Tree<Term>;
  readonly oracle: Oracle;
  readonly destroying: Destroying;
}

/** How this store's waits come to the detector. Times are monotonic. */
export interface Telling {
  /** The store of the detector in the placement driver's words, and when they were heard. */
  readonly named: StoreId | undefined;
  readonly namedAt: number;
  /** Who was told of all waits here, and when. */
  readonly told: StoreId | undefined;
  readonly toldAt: number;
}

/** A write on its way. */
export interface Running {
  readonly ticket: Ticket;
  readonly region: RegionId;
  readonly call: MvccWrite;
  /** What is latched and done now; undefined while that is not known yet. */
  readonly part: Part | undefined;
  /** Of the evaluation that is being replicated, or that waits for a lock. */
  readonly response: TikvReply | undefined;
  readonly memoryLocks: readonly MemoryLock[];
  readonly released: readonly ReleasedLock[];
  /** Of the evaluation that is being replicated. */
  readonly operations: readonly KvOperation[];
  /** Of a flashback: the entry that it waits for, which closes its region or opens it again. */
  readonly gate: "close" | "open" | undefined;
  /** The answer was given when the entry was proposed. */
  readonly answered: boolean;
}

export const noTransactions = (): Transactions => ({
  concurrency: noConcurrency(),
  latches: noLatches(),
  running: tree.empty(),
  waiting: noWaiters(),
  detector: noDetector(),
  telling: {
    named: undefined,
    namedAt: Number.NEGATIVE_INFINITY,
    told: undefined,
    toldAt: Number.NEGATIVE_INFINITY,
  },
  resolving: notResolving(),
  held: noMemoryLocks(),
  synced: tree.empty(),
  oracle: unheardOracle(),
  destroying: tree.empty(),
});

export const runningOf = ({ running }: Transactions, ticket: Ticket): Running | undefined =>
  tree.get(running, idKey(ticket));
