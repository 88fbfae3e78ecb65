/**
 * Write records: one for each version of a key, at its commit timestamp; and one for each
 * transaction that rolled back there, at its start timestamp.
 *
 *   type (1)      P put, D delete, L lock (nothing changed), R rollback
 *   start         varint: timestamp of the transaction
 *   v             short: the value, where it is short; "p" in a protected rollback
 *   R             nothing: a transaction that started at this very timestamp rolled back here too
 *   F             u64: gc fence, see `Write.gcFence`
 *   l             last change (`last-change.ts`)
 *   S             varint: the transaction's source, for change capture
 *
 * The form is TiKV's. Fields come in this order, each at most once, and only where they say
 * something. One with another tag is of a later version and is refused by name.
 */
import type { Timestamp } from "../../base/timestamp.ts";
import { FieldReader, FieldWriter, MAX_VARINT64_BYTES } from "./fields.ts";
import {
  LAST_CHANGE_TAG,
  type LastChange,
  UNKNOWN_CHANGE,
  readLastChange,
  writeLastChange,
} from "./last-change.ts";

export type WriteType = "put" | "delete" | "lock" | "rollback";

export interface Write {
  readonly type: WriteType;
  readonly startTs: Timestamp;
  /** Set for a put whose value is short, and for a protected rollback. */
  readonly shortValue: Uint8Array | undefined;
  /**
   * A commit timestamp that was calculated may be another transaction's start timestamp. Where
   * that one rolls back on the same key, this flag is its record.
   */
  readonly overlappedRollback: boolean;
  /**
   * Set where the flag was put on a record that stood there already: the commit timestamp of the
   * next put or delete then, or 0. A replica that had collected this version as garbage gets it
   * back by that rewriting; where the fence's version is missing, this one is garbage too.
   */
  readonly gcFence: Timestamp | undefined;
  readonly lastChange: LastChange;
  readonly txnSource: bigint;
}

export type DecodedWrite =
  | { readonly ok: true; readonly write: Write }
  | {
      readonly ok: false;
      readonly reason: "corrupt" | "unknown_field";
      readonly offset: number;
    };

const TYPES: readonly WriteType[] = ["put", "delete", "lock", "rollback"];
const TYPE_TAGS = "PDLR";
/** In the order in which fields stand in a record. */
const FIELDS = `vRF${LAST_CHANGE_TAG}S`;
const FIXED_BYTES = 1 + 3 * (1 + MAX_VARINT64_BYTES) + 2 * 9 + 3;

const PROTECTED = Uint8Array.of("p".charCodeAt(0));

/** The record of a rollback. One that is not protected may be dropped for a later one's sake. */
export const rollbackWrite = (startTs: Timestamp, isProtected: boolean): Write => ({
  type: "rollback",
  startTs,
  shortValue: isProtected ? PROTECTED : undefined,
  overlappedRollback: false,
  gcFence: undefined,
  lastChange: UNKNOWN_CHANGE,
  txnSource: 0n,
});

/** Whether `write` is a rollback that must stay. */
export const isProtectedRollback = (write: Write): boolean =>
  write.type === "rollback" &&
  write.shortValue?.length === 1 &&
  write.shortValue[0] === PROTECTED[0];

/** Whether `write` changes the key's data. */
export const isChange = (write: Write): boolean => write.type === "put" || write.type === "delete";

/**
 * Whether `write`, the newest one that a reader at `readTs` finds, is garbage that came back. The
 * safe point must not be above `readTs`.
 */
export const isBehindFence = (write: Pick<Write, "gcFence">, readTs: Timestamp): boolean =>
  write.gcFence !== undefined && write.gcFence !== 0n && write.gcFence <= readTs;

export function encodeWrite(write: Write): Uint8Array {
  const to = new FieldWriter(FIXED_BYTES + (write.shortValue?.length ?? 0));
  to.tag(TYPE_TAGS.charAt(TYPES.indexOf(write.type)));
  to.varint(write.startTs);
  if (write.shortValue !== undefined) {
    to.tag("v");
    to.short(write.shortValue);
  }
  if (write.overlappedRollback) to.tag("R");
  if (write.gcFence !== undefined) {
    to.tag("F");
    to.u64(write.gcFence);
  }
  writeLastChange(to, write.lastChange);
  if (write.txnSource !== 0n) {
    to.tag("S");
    to.varint(write.txnSource);
  }
  return to.done();
}

/** Whether a rollback has come to lie in the write of this record, without decoding it. */
export function isRewritten(record: Uint8Array): boolean {
  let at = 1;
  while ((record[at] ?? 0) >= 0x80) at += 1;
  at += 1;
  if (record[at] === SHORT_VALUE) at += 2 + (record[at + 1] ?? 0);
  return record[at] === OVERLAPPED || record[at] === FENCE;
}

const [SHORT_VALUE, OVERLAPPED, FENCE] = ["v", "R", "F"].map((tag) => tag.charCodeAt(0));

/** The write of a record. Its short value is a view of `bytes`. */
export function decodeWrite(bytes: Uint8Array): DecodedWrite {
  const from = new FieldReader(bytes);
  const type = TYPES[TYPE_TAGS.indexOf(from.tag() || "?")];
  if (type === undefined) return { ok: false, reason: "corrupt", offset: 0 };
  const startTs = from.varint() as Timestamp;
  let shortValue: Uint8Array | undefined;
  let overlappedRollback = false;
  let gcFence: Timestamp | undefined;
  let lastChange = UNKNOWN_CHANGE;
  let txnSource = 0n;
  let last = -1;
  while (from.more) {
    const offset = from.offset;
    const tag = from.tag();
    const field = FIELDS.indexOf(tag);
    if (field < 0) return { ok: false, reason: "unknown_field", offset };
    if (field <= last) return { ok: false, reason: "corrupt", offset };
    last = field;
    if (tag === "v") shortValue = from.short();
    else if (tag === "R") overlappedRollback = true;
    else if (tag === "F") gcFence = from.timestamp();
    else if (tag === LAST_CHANGE_TAG) lastChange = readLastChange(from);
    else txnSource = from.varint();
  }
  if (from.failedAt !== undefined) return { ok: false, reason: "corrupt", offset: from.failedAt };
  return {
    ok: true,
    write: { type, startTs, shortValue, overlappedRollback, gcFence, lastChange, txnSource },
  };
}
