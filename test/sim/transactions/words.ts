/** Histories in short words, for tests. */
import { checkIsolation } from "../../../sim/checkers/transactions/isolation.ts";
import { checkSnapshots } from "../../../sim/checkers/transactions/snapshots.ts";
import type {
  Access,
  AnomalyName,
  History,
  Level,
  Transaction,
  Value,
} from "../../../sim/checkers/transactions/history.ts";

export const append = (key: string, value: Value): Access => ({ type: "append", key, value });
export const write = (key: string, value: Value): Access => ({ type: "write", key, value });
export const remove = (key: string, value: Value): Access => ({ type: "remove", key, value });
export const read = (key: string, ...seen: Value[]): Access => ({
  type: "read",
  key,
  seen,
  locking: false,
});
export const locked = (key: string, ...seen: Value[]): Access => ({
  type: "read",
  key,
  seen,
  locking: true,
});

/** An optimistic transaction of a client of its own, acknowledged, beside all others in time. */
export const txn = (name: string, ...accesses: Access[]): Transaction => ({
  name,
  client: `client of ${name}`,
  begin: 0,
  end: 1000,
  asked: Infinity,
  outcome: "ok",
  startTs: undefined,
  commitTs: undefined,
  pessimistic: false,
  stale: false,
  accesses,
});

export const SNAPSHOT: Level = { isolation: "snapshot", order: "none" };
export const STRONG: Level = { isolation: "snapshot", order: "real time" };
export const SESSIONS: Level = { isolation: "snapshot", order: "sessions" };
export const SERIALIZABLE: Level = { isolation: "serializable", order: "none" };

/** The names of what is wrong, each once, in alphabetical order. */
export const names = (level: Level, ...history: Transaction[]): readonly AnomalyName[] =>
  namesIn(history, level);

export const namesIn = (history: History, level: Level): readonly AnomalyName[] =>
  [...new Set(checkIsolation(history, level).map(({ name }) => name))].sort((a, b) =>
    a < b ? -1 : 1,
  );

export const namesByTimestamps = (...history: Transaction[]): readonly AnomalyName[] => [
  ...new Set(checkSnapshots(history).map(({ name }) => name)),
];
