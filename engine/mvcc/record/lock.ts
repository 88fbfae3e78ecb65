/**
 * Lock records: what a transaction holds on a key until it commits or rolls back.
 *
 *   type (1)      P put, D delete, L lock (nothing will change), S pessimistic
 *   primary       bytes: the user's key whose record decides the transaction's fate
 *   start         varint: timestamp of the transaction
 *   ttl           varint: milliseconds since the physical part of `start`
 *   v             short: the value, where it is short; a longer one lies in `default`
 *   f             u64: for_update_ts; present in pessimistic transactions
 *   t             u64: about how many keys the transaction has here
 *   c             u64: min_commit_ts
 *   a             varint count of secondary keys, then each as bytes: asynchronous commit
 *   r             varint count, then timestamps (u64): protected rollbacks of others, see `draft.ts`
 *   l             last change (`last-change.ts`)
 *   s             varint: the transaction's source, for change capture
 *   F             nothing: locked although there was a newer version
 *   g             u64: generation of the flush that wrote it
 *
 * The form is TiKV's. Fields come in this order, each at most once, and only where they say
 * something. One with another tag is of a later version and is refused by name.
 */
import type { Key } from "../../base/bytes.ts";
import type { Timestamp } from "../../base/timestamp.ts";
import { FieldReader, FieldWriter, MAX_VARINT64_BYTES } from "./fields.ts";
import {
  LAST_CHANGE_TAG,
  type LastChange,
  UNKNOWN_CHANGE,
  readLastChange,
  writeLastChange,
} from "./last-change.ts";

export type LockType = "put" | "delete" | "lock" | "pessimistic";

export interface Lock {
  /** A pessimistic lock changes nothing when the transaction commits: it only keeps others out. */
  readonly type: LockType;
  readonly primary: Key;
  readonly startTs: Timestamp;
  readonly ttlMs: number;
  /** Set for a put whose value is short. */
  readonly shortValue: Uint8Array | undefined;
  /** Greater than 0 in a pessimistic transaction: no newer version existed then. */
  readonly forUpdateTs: Timestamp;
  /** Keys of the transaction in the region; the greatest u64 where the client cannot tell. */
  readonly txnSize: bigint;
  /** The transaction commits at no lower timestamp. 0: nobody may rely on it. */
  readonly minCommitTs: Timestamp;
  /**
   * Set where the transaction commits asynchronously: on the primary's lock all other keys, on the
   * others' none.
   */
  readonly secondaries: readonly Key[] | undefined;
  /** Start timestamps of others whose protected rollback this one's commit must not overwrite. */
  readonly rollbackTs: readonly Timestamp[];
  readonly lastChange: LastChange;
  readonly txnSource: bigint;
  /** A pessimistic lock that was given although a version newer than asked for existed. */
  readonly lockedWithConflict: boolean;
  /** Of pipelined transactions: the flush that wrote it; 0 otherwise. */
  readonly generation: number;
}

export type DecodedLock =
  | { readonly ok: true; readonly lock: Lock }
  | {
      readonly ok: false;
      readonly reason: "corrupt" | "unknown_field";
      readonly offset: number;
    };

const TYPES: readonly LockType[] = ["put", "delete", "lock", "pessimistic"];
const TYPE_TAGS = "PDLS";
/** In the order in which fields stand in a record. */
const FIELDS = `vftcar${LAST_CHANGE_TAG}sFg`;
/** Of type, two varints, and the fields of fixed size with their tags. */
const FIXED_BYTES = 1 + 2 * MAX_VARINT64_BYTES + 5 * 9 + 6 * (1 + MAX_VARINT64_BYTES) + 2;

/** Whether its transaction takes pessimistic locks. */
export const isPessimisticTransaction = (lock: Lock): boolean => lock.forUpdateTs !== 0n;

export function encodeLock(lock: Lock): Uint8Array {
  const to = new FieldWriter(capacity(lock));
  to.tag(TYPE_TAGS.charAt(TYPES.indexOf(lock.type)));
  to.key(lock.primary);
  to.varint(lock.startTs);
  to.count(lock.ttlMs);
  if (lock.shortValue !== undefined) {
    to.tag("v");
    to.short(lock.shortValue);
  }
  writeU64(to, "f", lock.forUpdateTs);
  writeU64(to, "t", lock.txnSize);
  writeU64(to, "c", lock.minCommitTs);
  if (lock.secondaries !== undefined) {
    to.tag("a");
    to.count(lock.secondaries.length);
    for (const key of lock.secondaries) to.key(key);
  }
  if (lock.rollbackTs.length > 0) {
    to.tag("r");
    to.count(lock.rollbackTs.length);
    for (const timestamp of lock.rollbackTs) to.u64(timestamp);
  }
  writeLastChange(to, lock.lastChange);
  if (lock.txnSource !== 0n) {
    to.tag("s");
    to.varint(lock.txnSource);
  }
  if (lock.lockedWithConflict) to.tag("F");
  writeU64(to, "g", BigInt(lock.generation));
  return to.done();
}

function writeU64(to: FieldWriter, tag: string, value: bigint): void {
  if (value === 0n) return;
  to.tag(tag);
  to.u64(value);
}

function capacity(lock: Lock): number {
  let bytes = FIXED_BYTES + lock.primary.length + 8 * lock.rollbackTs.length;
  if (lock.shortValue !== undefined) bytes += 2 + lock.shortValue.length;
  for (const key of lock.secondaries ?? []) bytes += MAX_VARINT64_BYTES + key.length;
  return bytes;
}

/** The lock of a record. Its short value is a view of `bytes`. */
export function decodeLock(bytes: Uint8Array): DecodedLock {
  const from = new FieldReader(bytes);
  const type = TYPES[TYPE_TAGS.indexOf(from.tag() || "?")];
  if (type === undefined) return { ok: false, reason: "corrupt", offset: 0 };
  const head = {
    type,
    primary: from.key(),
    startTs: from.varint() as Timestamp,
    ttlMs: from.count(),
  };
  let shortValue: Uint8Array | undefined;
  let forUpdateTs = 0n as Timestamp;
  let txnSize = 0n;
  let minCommitTs = 0n as Timestamp;
  let secondaries: readonly Key[] | undefined;
  let rollbackTs: readonly Timestamp[] = [];
  let lastChange = UNKNOWN_CHANGE;
  let txnSource = 0n;
  let lockedWithConflict = false;
  let generation = 0;
  let last = -1;
  while (from.more) {
    const offset = from.offset;
    const tag = from.tag();
    const field = FIELDS.indexOf(tag);
    if (field < 0) return { ok: false, reason: "unknown_field", offset };
    if (field <= last) return { ok: false, reason: "corrupt", offset };
    last = field;
    if (tag === "v") shortValue = from.short();
    else if (tag === "f") forUpdateTs = from.timestamp();
    else if (tag === "t") txnSize = from.u64();
    else if (tag === "c") minCommitTs = from.timestamp();
    else if (tag === "a") secondaries = readMany(from, () => from.key());
    else if (tag === "r") rollbackTs = readMany(from, () => from.timestamp());
    else if (tag === LAST_CHANGE_TAG) lastChange = readLastChange(from);
    else if (tag === "s") txnSource = from.varint();
    else if (tag === "F") lockedWithConflict = true;
    else generation = from.size();
  }
  if (from.failedAt !== undefined) return { ok: false, reason: "corrupt", offset: from.failedAt };
  return {
    ok: true,
    lock: {
      ...head,
      shortValue,
      forUpdateTs,
      txnSize,
      minCommitTs,
      secondaries,
      rollbackTs,
      lastChange,
      txnSource,
      lockedWithConflict,
      generation,
    },
  };
}

function readMany<T>(from: FieldReader, read: () => T): readonly T[] {
  const items: T[] = [];
  for (let rest = from.count(); rest > 0 && from.failedAt === undefined; rest--) items.push(read());
  return items;
}
