/** Who wrote what, and whose writes happened. Of everything that both checkers look at first. */
import { assert } from "../../../engine/base/assert.ts";
import type { Access, History, Transaction, Value } from "./history.ts";

export interface Author {
  readonly transaction: Transaction;
  /** Whether the transaction writes the key again afterwards. */
  readonly overwritten: boolean;
}

export interface Authors {
  /** By key and value. */
  readonly of: ReadonlyMap<string, ReadonlyMap<Value, Author>>;
  /** Transactions that happened: acknowledged, or of unknown outcome and seen by others. */
  readonly committed: ReadonlySet<Transaction>;
}

export function authorsOf(history: History): Authors {
  const of = new Map<string, Map<Value, Author>>();
  for (const transaction of history) noteWrites(of, transaction);
  const committed = new Set(history.filter(({ outcome }) => outcome === "ok"));
  const doubtful = unknownWrites(history);
  for (const reader of history) {
    for (const access of reader.accesses) {
      if (access.type !== "read") continue;
      const writers = doubtful.get(access.key);
      if (writers === undefined) continue;
      for (const value of access.seen) {
        const author = writers.get(value);
        if (author !== undefined && author !== reader) committed.add(author);
      }
    }
  }
  return { of, committed };
}

/** Few keys have any, so few reads have to be gone through. */
function unknownWrites(history: History): Map<string, Map<Value, Transaction>> {
  const doubtful = new Map<string, Map<Value, Transaction>>();
  for (const transaction of history) {
    if (transaction.outcome !== "unknown") continue;
    for (const access of transaction.accesses) {
      if (access.type === "read") continue;
      const writers = doubtful.get(access.key) ?? new Map<Value, Transaction>();
      doubtful.set(access.key, writers.set(access.value, transaction));
    }
  }
  return doubtful;
}

export const authorOf = (authors: Authors, key: string, value: Value): Author | undefined =>
  authors.of.get(key)?.get(value);

function noteWrites(of: Map<string, Map<Value, Author>>, transaction: Transaction): void {
  const last = new Map<string, Access>();
  for (const access of transaction.accesses) {
    if (access.type !== "read") last.set(access.key, access);
  }
  for (const access of transaction.accesses) {
    if (access.type === "read") continue;
    const { key, value } = access;
    const writers = of.get(key) ?? new Map<Value, Author>();
    if (writers.size === 0) of.set(key, writers);
    assert(!writers.has(value), `value ${value} is written to ${key} once`);
    writers.set(value, { transaction, overwritten: last.get(key) !== access });
  }
}
