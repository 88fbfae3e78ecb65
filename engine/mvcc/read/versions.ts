/**
 * The write records of one key, newest first, and the version of it that a reader sees.
 */
import { EMPTY_KEY, type Key } from "../../base/bytes.ts";
import { descendingSuffix } from "../../base/memcomparable.ts";
import type { Timestamp } from "../../base/timestamp.ts";
import { timestampOfVersion, versionKey, versionsOf } from "../keys.ts";
import { type Write, isBehindFence, isRewritten } from "../record/write.ts";
import { NEAR_STEPS, NearCursor } from "./near-cursor.ts";
import type { MvccReader } from "./reader.ts";

export interface Version {
  /** Of a rollback: the start timestamp of the transaction that rolled back. */
  readonly commitTs: Timestamp;
  readonly write: Write;
}

export class Versions {
  private readonly reader: MvccReader;
  private readonly key: Key;
  /** Opened when somebody walks on from a version. */
  private cursor: NearCursor | undefined;
  /** What the last answer's key has behind `key`, where it was found without a cursor. */
  private found: Key | undefined;

  /**
   * Of an encoded key. Nothing is looked at before the first question. `cursor` may be one over
   * the versions of many keys; it is moved.
   */
  constructor(reader: MvccReader, key: Key, cursor?: NearCursor) {
    this.reader = reader;
    this.key = key;
    this.cursor = cursor;
  }

  /** The newest one of all. */
  newest(): Version | undefined {
    const { cursor } = this;
    if (cursor === undefined) return this.firstFrom(EMPTY_KEY);
    cursor.seek(this.key);
    return this.here(cursor);
  }

  /** The newest one with a commit timestamp at or below `timestamp`. */
  atOrBefore(timestamp: Timestamp): Version | undefined {
    const { cursor } = this;
    if (cursor === undefined) return this.firstFrom(descendingSuffix(timestamp));
    const target = versionKey(this.key, timestamp);
    if (cursor.valid && cursor.key <= target) cursor.forwardTo(target);
    else cursor.seek(target);
    return this.here(cursor);
  }

  /** The one before the last answer. */
  older(): Version | undefined {
    const cursor = this.cursor ?? this.opened();
    if (cursor === undefined || !cursor.valid || !cursor.key.startsWith(this.key)) return undefined;
    cursor.next();
    return this.here(cursor);
  }

  /** The one before `version`, wherever the last answer was. */
  before(version: Version): Version | undefined {
    this.atOrBefore(version.commitTs);
    return this.older();
  }

  /**
   * The put that somebody who reads at `timestamp` sees; undefined where a delete is last, or
   * nothing. `fence` is the timestamp that fences are judged by (`isBehindFence`): that of the
   * reader's snapshot.
   */
  visibleAt(timestamp: Timestamp, fence: Timestamp): Version | undefined {
    const newest =
      this.cursor === undefined
        ? this.firstFrom(descendingSuffix(timestamp), isLastWord)
        : this.atOrBefore(timestamp);
    return this.visibleFrom(newest, fence);
  }

  /** As `visibleAt`, where `version` is the newest one that could be it: the last answer. */
  visibleFrom(version: Version | undefined, fence: Timestamp): Version | undefined {
    let candidate = version;
    while (candidate !== undefined) {
      const { write } = candidate;
      if (isBehindFence(write, fence) || write.type === "delete") return undefined;
      if (write.type === "put") return candidate;
      candidate = this.beyond(write);
    }
    return undefined;
  }

  /** What a reader looks at after a record that changes nothing. */
  private beyond(write: Write): Version | undefined {
    const change = write.lastChange;
    if (change.type === "none") return undefined;
    if (change.type === "unknown" || change.versions < NEAR_STEPS) return this.older();
    return this.jump(change.commitTs);
  }

  /** The change that a record points to; garbage collection may have taken it since. */
  private jump(commitTs: Timestamp): Version | undefined {
    const stored = versionKey(this.key, commitTs);
    const record = this.reader.view.get("write", stored);
    if (record === undefined) return undefined;
    const write = this.reader.writeOf(stored, record);
    if (write === undefined) return undefined;
    if (write.type === "put" || write.type === "delete") return { commitTs, write };
    this.reader.note({ cf: "write", key: stored, reason: "contradiction", offset: 0 });
    return undefined;
  }

  /** A cursor at the last answer; undefined where there was none. */
  private opened(): NearCursor | undefined {
    const { found } = this;
    if (found === undefined) return undefined;
    const cursor = new NearCursor(this.reader.view.cursor("write", versionsOf(this.key)));
    cursor.seek((this.key + found) as Key);
    this.cursor = cursor;
    return cursor;
  }

  /** The first one with `suffix` or a greater one behind the key. */
  private firstFrom(suffix: Key, settles?: (record: Uint8Array) => boolean): Version | undefined {
    const first = this.reader.view.first("write", this.key, suffix, settles);
    this.found = first?.rest;
    if (first === undefined) return undefined;
    const commitTs = timestampOfVersion(first.rest);
    const write = this.reader.writeOf((this.key + first.rest) as Key, first.value);
    return commitTs === undefined || write === undefined ? undefined : { commitTs, write };
  }

  private here(cursor: NearCursor): Version | undefined {
    if (!cursor.valid || !cursor.key.startsWith(this.key)) return undefined;
    return this.version(cursor.key, cursor.value);
  }

  private version(stored: Key, record: Uint8Array): Version | undefined {
    const commitTs = timestampOfVersion(stored);
    const write = this.reader.writeOf(stored, record);
    return commitTs === undefined || write === undefined ? undefined : { commitTs, write };
  }
}

/**
 * Whether no older source can have a version of the key that counts above this one, for whoever
 * reads: transactions commit to a key one after another, each above the one before, and records go
 * into the log in that order. Only rollbacks come when they like: their records do not count, and
 * one that lies in a commit rewrites it, at any time later.
 */
const isLastWord = (record: Uint8Array): boolean => {
  const type = record[0];
  return (type === PUT || type === DELETE) && !isRewritten(record);
};

const PUT = "P".charCodeAt(0);
const DELETE = "D".charCodeAt(0);
