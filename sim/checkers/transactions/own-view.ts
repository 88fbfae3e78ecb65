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
  /** What its own writes make of the key so far; undefined where there are none. */
  own: Value[] | undefined;
}

/**
 * `happened`: otherwise it may have lost its locks, and what it saw under them proves nothing.
 */
export function ownView(transaction: Transaction, happened: boolean): OwnView {
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
      const problem = look(transaction, happened, access, view, written.has(access.key));
      if (problem !== undefined) anomalies.push(problem);
    } else if (access.type === "append") view.own = [...(view.own ?? []), access.value];
    else view.own = access.type === "write" ? [access.value] : [];
  }
  const reads: OutsideRead[] = [];
  for (const { plain, locked } of views.values()) {
    if (plain !== undefined) reads.push(plain);
    if (locked !== undefined && locked !== plain) reads.push(locked);
  }
  return { reads, anomalies };
}

const newView = (write: Access | undefined): KeyView => ({
  isList: write === undefined || write.type === "append",
  plain: undefined,
  locked: undefined,
  own: undefined,
});

/** Notes what `read` saw outside, or says what it contradicts. */
function look(
  transaction: Transaction,
  happened: boolean,
  read: Read,
  view: KeyView,
  writes: boolean,
): Anomaly | undefined {
  const { seen, key } = read;
  const wrote = view.own !== undefined;
  const own = view.own ?? [];
  const kept = seen.length - own.length;
  const foreign = !view.isList && wrote && kept > 0;
  if (foreign || own.some((value, i) => seen[kept + i] !== value)) {
    const mine = describeSeen(own);
    return told("internal", `${transaction.name} ${describeAccess(read)}, after it wrote ${mine}`);
  }
  if (!view.isList && wrote) return undefined;
  const outside = seen.slice(0, kept);
  const future = writes ? outside.find((value) => writesValue(transaction, key, value)) : undefined;
  if (future !== undefined) {
    const text = `${transaction.name} ${describeAccess(read)}, of which it wrote ${future} itself, later`;
    return told("future read", text);
  }
  // The buffer of a pessimistic transaction continues what it locked, not what its snapshot shows.
  const atCommit = transaction.pessimistic && (read.locking || wrote);
  if (atCommit && !happened) return undefined;
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
