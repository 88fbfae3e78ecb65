/**
 * The nodes of the dependency graph. A transaction is one node if all of it is of one snapshot. A
 * pessimistic one that also reads without locks is two, each of which is a transaction under
 * snapshot isolation: what it read at its start, and what it locked and wrote at its commit.
 */
import type { Authors } from "./authors.ts";
import type { Anomaly, History, Transaction, Value } from "./history.ts";
import { type OutsideRead, ownView } from "./own-view.ts";

export interface Part {
  /** Its place among all parts. */
  readonly index: number;
  readonly transaction: Transaction;
  readonly reads: readonly OutsideRead[];
  /** What it wrote under each key, in order; of a list each element. */
  readonly writes: ReadonlyMap<string, readonly Value[]>;
}

export interface Parts {
  readonly all: readonly Part[];
  /** The part that holds the writes of each transaction that happened. */
  readonly writing: ReadonlyMap<Transaction, Part>;
  readonly anomalies: readonly Anomaly[];
}

const NO_WRITES: ReadonlyMap<string, readonly Value[]> = new Map();

/** What did not happen keeps the reads of its snapshot: those were promised to it as well. */
export function partsOf(history: History, authors: Authors): Parts {
  const all: Part[] = [];
  const writing = new Map<Transaction, Part>();
  const anomalies: Anomaly[] = [];
  const add = (
    transaction: Transaction,
    reads: readonly OutsideRead[],
    writes: ReadonlyMap<string, readonly Value[]>,
  ): Part => {
    const part = { index: all.length, transaction, reads, writes };
    all.push(part);
    return part;
  };
  for (const transaction of history) {
    const happened = authors.committed.has(transaction);
    const view = ownView(transaction, happened);
    anomalies.push(...view.anomalies);
    const atStart = view.reads.filter(({ atCommit }) => !atCommit);
    if (!happened) {
      add(transaction, atStart.map(unlocked), NO_WRITES);
      continue;
    }
    const writes = writesOf(transaction);
    const atCommit = view.reads.filter((read) => read.atCommit);
    if (transaction.pessimistic && atStart.length > 0 && (writes.size > 0 || atCommit.length > 0)) {
      add(transaction, atStart, NO_WRITES);
      writing.set(transaction, add(transaction, atCommit, writes));
    } else writing.set(transaction, add(transaction, view.reads, writes));
  }
  return { all, writing, anomalies };
}

const unlocked = (read: OutsideRead): OutsideRead => ({ ...read, locked: false });

function writesOf({ accesses }: Transaction): ReadonlyMap<string, readonly Value[]> {
  const writes = new Map<string, Value[]>();
  for (const access of accesses) {
    if (access.type === "read") continue;
    const values = writes.get(access.key);
    if (values === undefined) writes.set(access.key, [access.value]);
    else values.push(access.value);
  }
  return writes.size === 0 ? NO_WRITES : writes;
}
