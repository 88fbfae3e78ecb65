/**
 * What one transaction saw of the world outside, its own writes taken off; and whether its reads
 * agree with each other and with those writes.
 */
import type { Access, Anomaly, Read, Transaction, Value } from "./history.ts";
import { describeAccess, describeSeen } from "./history.ts";

/** The first read of a version from outside. */
export interface OutsideRead {
  readonly key: string;
  readonly seen: readonly Value[];
  /** Whether the instant is that of the commit: a pessimistic transaction locked it. */
  readonly atCommit: boolean;
  /** Nobody else may write the key between this read and the end of the transaction. */
  readonly locked: boolean;
}

export interface OwnView {
  readonly reads: readonly OutsideRead[];
  readonly anomalies: readonly Anomaly[];
}

/** What a transaction knows of a key while its accesses are gone through. */
interface KeyView {
  readonly isList: boolean;
  /** What plain and locking reads found outside; a key of `reads`. */
  plain: OutsideRead | undefined;
  locked: OutsideRead | undefined;
  /** Its own writes so far; of a register the last one. */
  own: Value[];
}

export function ownView(transaction: Transaction): OwnView {
  const written = new Map<string, Access>();
  for (const access of transaction.accesses) {
    if (access.type !== "read") written.set(access.key, access);
  }
  const views = new Map<string, KeyView>();
  const anomalies: Anomaly[] = [];
  for (const access of transaction.accesses) {
    const view = views.get(access.key) ?? newView(written.get(access.key));
    views.set(access.key, view);
    if (access.type === "read") {
      const problem = look(transaction, access, view, written.has(access.key));
      if (problem !== undefined) anomalies.push(problem);
    } else if (access.type === "append") view.own.push(access.value);
    else view.own = [access.value];
  }
  const reads: OutsideRead[] = [];
  for (const { plain, locked } of views.values()) {
    if (plain !== undefined) reads.push(plain);
    if (locked !== undefined && locked !== plain) reads.push(locked);
  }
  return { reads, anomalies };
}

const newView = (write: Access | undefined): KeyView => ({
  isList: write?.type !== "write",
  plain: undefined,
  locked: undefined,
  own: [],
});

/** Notes what `read` saw outside, or says what it contradicts. */
function look(
  transaction: Transaction,
  read: Read,
  view: KeyView,
  writes: boolean,
): Anomaly | undefined {
  const { own } = view;
  const { seen, key } = read;
  const kept = seen.length - own.length;
  const foreign = !view.isList && own.length > 0 && kept > 0;
  if (foreign || own.some((value, i) => seen[kept + i] !== value)) {
    const mine = describeSeen(own);
    return told("internal", `${transaction.name} ${describeAccess(read)}, after it wrote ${mine}`);
  }
  if (!view.isList && own.length > 0) return undefined;
  const outside = own.length === 0 ? seen : seen.slice(0, kept);
  const future = writes ? outside.find((value) => writesValue(transaction, key, value)) : undefined;
  if (future !== undefined) {
    const text = `${transaction.name} ${describeAccess(read)}, of which it wrote ${future} itself, later`;
    return told("future read", text);
  }
  // The buffer of a pessimistic transaction continues what it locked, not what its snapshot shows.
  const atCommit = transaction.pessimistic && (read.locking || own.length > 0);
  const locked = read.locking || (writes && (atCommit || !transaction.pessimistic));
  const known = atCommit ? view.locked : view.plain;
  if (known !== undefined && !sameSeen(known.seen, outside)) {
    const before = describeSeen(known.seen);
    const text = `${transaction.name} ${describeAccess(read)}, after it had read ${before}`;
    return told("internal", text);
  }
  const result = { key, seen: outside, atCommit, locked: locked || known?.locked === true };
  if (atCommit) view.locked = result;
  else view.plain = result;
  return undefined;
}

const writesValue = ({ accesses }: Transaction, key: string, value: Value): boolean =>
  accesses.some((one) => one.type !== "read" && one.key === key && one.value === value);

export function sameSeen(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

const told = (name: "internal" | "future read", text: string): Anomaly => ({ name, text });
