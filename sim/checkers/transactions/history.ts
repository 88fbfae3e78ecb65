/**
 * What the clients of a run did in transactions and saw there, as both checkers of isolation take
 * it. Keys hold lists, to which numbers are appended, or registers, which are written; no number is
 * written twice to a key. A list tells its whole past, so histories of lists prove most.
 */
import { seconds } from "../../trace/trace.ts";

/** A number that one access alone put under its key. Above 0. */
export type Value = number;

export type Access =
  | { readonly type: "append"; readonly key: string; readonly value: Value }
  | { readonly type: "write"; readonly key: string; readonly value: Value }
  /** Of a register. `value` is nobody's but this removal's, and no read ever shows it. */
  | { readonly type: "remove"; readonly key: string; readonly value: Value }
  | Read;

/** An answered read: those that failed are left out. */
export interface Read {
  readonly type: "read";
  readonly key: string;
  /** The list, or the value of a register; empty where there was no such key. */
  readonly seen: readonly Value[];
  /** Nobody may write the key from this read on until the transaction has ended. */
  readonly locking: boolean;
}

export interface Transaction {
  /** For people: unique in the history. */
  readonly name: string;
  readonly client: string;
  /** True times in microseconds; `end` is Infinity where no answer came. */
  readonly begin: number;
  readonly end: number;
  /** When its commit was asked for; Infinity where it never was. */
  readonly asked: number;
  /** `fail`: it has certainly not happened, and never will. `unknown`: nobody said. */
  readonly outcome: "ok" | "fail" | "unknown";
  /** As far as they are known. A transaction that wrote nothing has no commit timestamp. */
  readonly startTs: bigint | undefined;
  readonly commitTs: bigint | undefined;
  /**
   * It locks what it writes, as of the moment of the write, so that its locking reads and writes
   * are of the instant of its commit, while its other reads are of its start.
   */
  readonly pessimistic: boolean;
  /** It reads a past that it was told, so real time binds it to nobody. */
  readonly stale: boolean;
  /** In the order in which they were answered. */
  readonly accesses: readonly Access[];
}

export type History = readonly Transaction[];

/** What the history is to be judged against. */
export interface Level {
  /**
   * `serializable` is promised only where all reads lock; then no cycle at all may be found.
   */
  readonly isolation: "snapshot" | "serializable";
  /**
   * What orders transactions besides what they read and write: nothing, the session of their client
   * (strong session levels), or real time (strong levels).
   */
  readonly order: "none" | "sessions" | "real time";
}

/** Every name that a checker may give to what it found. The first ones are Adya's and Elle's. */
export type AnomalyName =
  | "G0"
  | "G1a"
  | "G1b"
  | "G1c"
  | "G-single"
  | "G-nonadjacent"
  | "G2-item"
  | `${CycleName}-${"process" | "realtime"}`
  /** Two transactions read one version, and both wrote the next. */
  | "lost update"
  /** Two transactions saw two independent writes in opposite orders. */
  | "long fork"
  /** A transaction saw something else than its own earlier accesses say. */
  | "internal"
  /** A transaction saw what it wrote itself only afterwards. */
  | "future read"
  /** A transaction that happened rests on a write of one that did not. */
  | "dirty update"
  /** A list holds an element twice. */
  | "duplicate"
  /** Two reads of one list, neither of which the other continues. */
  | "incompatible order"
  /** A read of what nobody wrote. */
  | "garbage read"
  /** The versions of a register come before themselves. */
  | "cyclic versions"
  /** What the known timestamps say: a read is not of the newest version that it ought to see. */
  | "wrong version"
  /** Two transactions that overlap in time wrote one key. */
  | "concurrent writes"
  /** Timestamps that are out of order, or not unique where they must be. */
  | "timestamps";

export type CycleName = "G0" | "G1c" | "G-single" | "G-nonadjacent" | "G2-item";

export interface Anomaly {
  readonly name: AnomalyName;
  /** Who read what: a sentence, or some lines with the transactions first. */
  readonly text: string;
}

export const describeAccess = (access: Access): string => {
  switch (access.type) {
    case "append":
      return `appends ${access.value} to ${access.key}`;
    case "write":
      return `writes ${access.value} to ${access.key}`;
    case "remove":
      return `removes ${access.key}`;
    default:
      return `${access.locking ? "locks and reads" : "reads"} ${access.key}: ${describeSeen(access.seen)}`;
  }
};

/** Long lists by their end: what differs is there. */
export function describeSeen(seen: readonly Value[]): string {
  if (seen.length === 0) return "nothing";
  const shown = seen.slice(-8).join(" ");
  return seen.length > 8 ? `[… ${shown}]` : `[${shown}]`;
}

export function describeTransaction(one: Transaction): string {
  const end =
    one.end === Infinity ? "and never got an answer" : `until ${seconds(one.end)}, ${one.outcome}`;
  const start = one.startTs === undefined ? "" : `, start ${one.startTs}`;
  const commit = one.commitTs === undefined ? "" : `, commit ${one.commitTs}`;
  const kind = one.pessimistic ? "pessimistic" : "optimistic";
  const accesses = one.accesses.map(describeAccess).join("; ");
  return (
    `${one.name} of ${one.client} (${kind}, from ${seconds(one.begin)} ${end}${start}${commit}): ` +
    (accesses === "" ? "does nothing" : accesses)
  );
}
