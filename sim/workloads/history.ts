/**
 * What the clients of a run did and saw, key by key, in the order of their invocations. A record
 * stays open (its end is Infinity) until its answer comes, and for ever where none comes.
 */
import type { Operation } from "../checkers/linearizability.ts";
import type { Key } from "../../engine/base/bytes.ts";

/** Mutable while the operation runs. */
export interface Record extends Operation {
  value: number;
  seen: number;
  swapped: boolean;
  end: number;
  /** It has certainly not taken effect: as if it had never been asked for. */
  refused: boolean;
  /** True times for people, in microseconds. */
  readonly startUs: number;
  endUs: number;
}

/** Mutable: one for each run. */
export interface History {
  readonly keys: Map<Key, Record[]>;
  /** How often each kind of operation ended in each way. */
  readonly counts: Map<string, { ok: number; refused: number; unknown: number }>;
  nextValue: number;
}

export const emptyHistory = (): History => ({ keys: new Map(), counts: new Map(), nextValue: 1 });

/** Notes that `client` asks for an operation on `key` at this place in the order of events. */
export function invoke(
  history: History,
  key: Key,
  operation: Pick<Record, "client" | "type" | "start" | "startUs"> &
    Partial<Pick<Record, "value" | "expected">>,
): Record {
  const record: Record = {
    client: operation.client,
    type: operation.type,
    value: operation.value ?? 0,
    expected: operation.expected ?? 0,
    seen: 0,
    swapped: false,
    start: operation.start,
    end: Infinity,
    refused: false,
    startUs: operation.startUs,
    endUs: Infinity,
  };
  const records = history.keys.get(key);
  if (records === undefined) history.keys.set(key, [record]);
  else records.push(record);
  return record;
}

/** A value number that has not been given out in this run. */
export function freshValue(history: History): number {
  const value = history.nextValue;
  history.nextValue = value + 1;
  return value;
}

export function countOutcome(
  history: History,
  kind: string,
  outcome: "ok" | "refused" | "unknown",
): void {
  let count = history.counts.get(kind);
  if (count === undefined) {
    count = { ok: 0, refused: 0, unknown: 0 };
    history.counts.set(kind, count);
  }
  count[outcome] += 1;
}
