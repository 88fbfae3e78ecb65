/**
 * Records of transactions as one instant holds them. Everything that this room reads comes through
 * a `MvccReader`.
 *
 * A record that cannot be read is not an exception and not an answer: the reader notes it and
 * finds nothing, and who has asked gives up what was decided (`evaluation.ts`).
 */
import type { Key } from "../../base/bytes.ts";
import type { Timestamp } from "../../base/timestamp.ts";
import type { ColumnFamily } from "../../storage/types.ts";
import type { KvView } from "../../storage/view.ts";
import { decodeKey, versionKey } from "../keys.ts";
import { type Lock, decodeLock } from "../record/lock.ts";
import { type Write, decodeWrite } from "../record/write.ts";
import { Versions } from "./versions.ts";

/** A record that says nothing, or contradicts another one. */
export interface RecordDamage {
  readonly cf: ColumnFamily;
  /** As it is stored. */
  readonly key: Key;
  readonly reason:
    /** The bytes are no record. `offset` is where they stop being one. */
    | "corrupt"
    /** A field at `offset` is of a version that this program does not know. */
    | "unknown_field"
    /** The key is not one of transactional data. */
    | "malformed_key"
    /** A write record, or a lock, promises a value that is not there. */
    | "missing_value"
    /** What the record says cannot be true beside another record of the key. */
    | "contradiction";
  readonly offset: number;
}

export class MvccReader {
  readonly view: KvView;
  /** The first that was met. */
  damage: RecordDamage | undefined;

  constructor(view: KvView) {
    this.view = view;
  }

  /** The lock on an encoded key. */
  lock(key: Key): Lock | undefined {
    const record = this.view.get("lock", key);
    return record === undefined ? undefined : this.lockOf(key, record);
  }

  /** The lock that `record` at `key` is. */
  lockOf(key: Key, record: Uint8Array): Lock | undefined {
    const decoded = decodeLock(record);
    if (decoded.ok) return decoded.lock;
    this.note({ cf: "lock", key, reason: decoded.reason, offset: decoded.offset });
    return undefined;
  }

  /** The write that `record` at `stored` is. */
  writeOf(stored: Key, record: Uint8Array): Write | undefined {
    const decoded = decodeWrite(record);
    if (decoded.ok) return decoded.write;
    this.note({ cf: "write", key: stored, reason: decoded.reason, offset: decoded.offset });
    return undefined;
  }

  /** The versions of an encoded key, newest first. */
  versions(key: Key): Versions {
    return new Versions(this, key);
  }

  /** The value that a put of the transaction `startTs` gives an encoded key. */
  value(
    key: Key,
    put: { readonly startTs: Timestamp; readonly shortValue: Uint8Array | undefined },
  ): Uint8Array | undefined {
    if (put.shortValue !== undefined) return put.shortValue;
    const stored = versionKey(key, put.startTs);
    const value = this.view.get("default", stored);
    if (value === undefined) {
      this.note({ cf: "default", key: stored, reason: "missing_value", offset: 0 });
    }
    return value;
  }

  /** The user's key that is stored as `encoded`. */
  userKey(cf: ColumnFamily, encoded: Key): Key | undefined {
    const key = decodeKey(encoded);
    if (key === undefined) this.note({ cf, key: encoded, reason: "malformed_key", offset: 0 });
    return key;
  }

  note(damage: RecordDamage): void {
    this.damage ??= damage;
  }
}
