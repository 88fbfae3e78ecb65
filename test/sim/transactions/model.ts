/**
 * A naive multi-version store and its clients: what snapshot isolation with locks means, in a
 * hundred lines. `bug` makes it break one promise; what it writes down stays what clients saw.
 */
import type {
  Access,
  History,
  Transaction,
  Value,
} from "../../../sim/checkers/transactions/history.ts";

export type Bug =
  /** Commits without looking for newer versions. */
  | "blind commit"
  /** Reads see whatever is newest. */
  | "newest read"
  /** Some snapshots are of the past. */
  | "old snapshot"
  /** What fails stays in the store. */
  | "kept writes"
  /** Others see what has not been committed yet. */
  | "dirty read"
  /** Locks hold nobody up. */
  | "weak locks"
  /** A commit appears key by key. */
  | "torn commit";

export interface Shape {
  readonly lists: boolean;
  readonly clients: number;
  readonly keys: number;
  /** All transactions are pessimistic, and lock whatever they read. */
  readonly allLock: boolean;
  readonly bug: Bug | undefined;
}

interface Version {
  readonly commitTs: bigint;
  readonly content: readonly Value[];
}

/** Mutable. */
interface Open {
  readonly name: string;
  readonly client: number;
  readonly begin: number;
  readonly startTs: bigint;
  readonly pessimistic: boolean;
  readonly accesses: Access[];
  /** What it has made of the keys that it wrote. */
  readonly buffer: Map<string, readonly Value[]>;
  readonly held: Set<string>;
}

/** Interprets `choices`, numbers of at least 0, as what happens step after step. */
export function modelHistory(shape: Shape, choices: readonly number[]): History {
  const { lists, clients, keys, allLock, bug } = shape;
  const store = new Map<string, Version[]>();
  const locks = new Map<string, Open>();
  const open = new Map<number, Open>();
  const history: Transaction[] = [];
  let now = 0;
  let timestamp = 0n;
  let lastValue = 0;

  const newest = (key: string, at: bigint): readonly Value[] =>
    store.get(key)?.findLast(({ commitTs }) => commitTs <= at)?.content ?? [];
  const isNewer = (key: string, at: bigint): boolean =>
    store.get(key)?.some(({ commitTs }) => commitTs > at) ?? false;

  const begin = (client: number, choice: number): void => {
    timestamp += 1n;
    const old = bug === "old snapshot" && choice % 3 === 0 && timestamp > 8n;
    const pessimistic = allLock || choice % 2 === 0;
    const name = `T${history.length + open.size + 1}.${now}`;
    const startTs = old ? timestamp - 8n : timestamp;
    const one = { name, client, begin: now, startTs, pessimistic };
    open.set(client, { ...one, accesses: [], buffer: new Map(), held: new Set() });
  };
  /** False where somebody else holds the key. */
  const hold = (one: Open, key: string): boolean => {
    one.held.add(key);
    if (!one.pessimistic) return true;
    const holder = locks.get(key);
    if (holder !== undefined && holder !== one && bug !== "weak locks") return false;
    locks.set(key, one);
    return true;
  };
  const contentFor = (one: Open, key: string, atCommit: boolean): readonly Value[] => {
    if (bug === "dirty read") {
      for (const other of open.values()) {
        const dirty = other.buffer.get(key);
        if (dirty !== undefined) return dirty;
      }
    }
    const now = bug === "newest read" || (one.pessimistic && atCommit);
    return newest(key, now ? timestamp : one.startTs);
  };
  const read = (one: Open, key: string, locking: boolean): boolean => {
    if (locking && !hold(one, key)) return false;
    const seen = one.buffer.get(key) ?? contentFor(one, key, locking);
    one.accesses.push({ type: "read", key, seen, locking });
    return true;
  };
  const write = (one: Open, key: string, removes: boolean): boolean => {
    if (!hold(one, key)) return false;
    lastValue += 1;
    if (removes) {
      one.buffer.set(key, []);
      one.accesses.push({ type: "remove", key, value: lastValue });
      return true;
    }
    const before = one.buffer.get(key) ?? contentFor(one, key, true);
    one.buffer.set(key, lists ? [...before, lastValue] : [lastValue]);
    one.accesses.push({ type: lists ? "append" : "write", key, value: lastValue });
    return true;
  };
  const finish = (one: Open, outcome: Transaction["outcome"], commitTs?: bigint): void => {
    open.delete(one.client);
    for (const key of one.held) if (locks.get(key) === one) locks.delete(key);
    const { name, begin, startTs, pessimistic, accesses } = one;
    const end = outcome === "unknown" ? Infinity : now;
    const client = `c${one.client}`;
    // Steps are 10 apart: it asked in this one, before it was answered.
    const asked = commitTs === undefined ? Infinity : now;
    const who = { name, client, begin, end, asked, outcome, startTs, commitTs, pessimistic };
    history.push({ ...who, stale: false, accesses });
  };
  const apply = (one: Open, commitTs: bigint): void => {
    let late = commitTs;
    for (const key of one.held) {
      const versions = store.get(key) ?? [];
      // A lock is a version too: who began before it and writes afterwards has a conflict.
      const content = one.buffer.get(key) ?? newest(key, commitTs);
      store.set(key, [...versions, { commitTs: late, content }]);
      if (bug === "torn commit") late += 6n;
    }
  };
  const commit = (one: Open, choice: number): void => {
    const conflicts =
      !one.pessimistic &&
      [...one.held].some((key) => isNewer(key, one.startTs) || (locks.get(key) ?? one) !== one);
    const happens = (!conflicts || bug === "blind commit") && choice % 13 !== 0;
    if (!happens && bug === "kept writes") apply(one, (timestamp += 1n));
    const silent = choice % 11 === 0;
    if (!happens) return finish(one, silent ? "unknown" : "fail");
    if (one.held.size === 0) return finish(one, "ok");
    timestamp += 1n;
    apply(one, timestamp);
    finish(one, silent ? "unknown" : "ok", timestamp);
  };

  for (const choice of choices) {
    now += 10;
    const client = choice % clients;
    const one = open.get(client);
    const rest = Math.floor(choice / clients);
    if (one === undefined) {
      begin(client, rest);
      continue;
    }
    const key = `k${rest % keys}`;
    const action = Math.floor(rest / keys) % 8;
    const how = Math.floor(rest / keys / 8);
    if (action < 3) {
      if (!read(one, key, allLock || how % 4 === 0)) finish(one, "fail");
    } else if (action < 6) {
      if (!write(one, key, !lists && how % 5 === 0)) finish(one, "fail");
    } else commit(one, how);
  }
  return history;
}
