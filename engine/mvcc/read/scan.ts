/**
 * Reading a range of keys, upwards or downwards: one cursor over write records and one over locks
 * go side by side from key to key.
 */
import { EMPTY_KEY, type Key } from "../../base/bytes.ts";
import { ZERO_TIMESTAMP } from "../../base/timestamp.ts";
import { IsolationLevel } from "../../protocol/gen/kvrpcpb.ts";
import { afterVersions, keyOfVersion, versionKey } from "../keys.ts";
import { type Outcome, done, refused } from "../outcome.ts";
import type { Refusal } from "../refusal.ts";
import { OldestFirst } from "./downwards.ts";
import { NearCursor } from "./near-cursor.ts";
import { type Found, foundInLock, isReadable } from "./point.ts";
import type { MvccReader } from "./reader.ts";
import { type Snapshot, checksLocks, conflictOf, newerVersion } from "./snapshot.ts";
import { type Version, Versions } from "./versions.ts";

export interface ScanRange {
  /** Encoded, inclusive. */
  readonly lower: Key;
  /** Encoded, exclusive; empty: no bound. */
  readonly upper: Key;
  /** Most items. */
  readonly limit: number;
  readonly keyOnly: boolean;
  /** From `upper` downwards. */
  readonly reverse: boolean;
  /** Of the keys that are found, every so many-th is taken, beginning with the first; 0: all. */
  readonly sampleStep: number;
}

/** A key's data, or the lock that keeps it from being read; the scan goes on behind either. */
export type ScanItem =
  | { readonly ok: true; readonly key: Key; readonly value: Uint8Array }
  | { readonly ok: false; readonly refusal: Refusal };

const NO_COMMIT_TS = false;

/** What `snapshot` sees of the range, in the scan's order. */
export function scan(
  reader: MvccReader,
  snapshot: Snapshot,
  range: ScanRange,
): Outcome<readonly ScanItem[]> {
  const walk = new Walk(reader, snapshot, range);
  const items: ScanItem[] = [];
  let seen = 0;
  while (items.length < range.limit) {
    const step = walk.next();
    if (!step.ok) return step;
    const item = step.value;
    if (item === undefined) break;
    const isTaken = !item.ok || range.sampleStep === 0 || seen % range.sampleStep === 0;
    if (item.ok) seen += 1;
    if (isTaken) items.push(item);
  }
  return done(items);
}

class Walk {
  private readonly reader: MvccReader;
  private readonly snapshot: Snapshot;
  private readonly range: ScanRange;
  private readonly writes: NearCursor;
  private readonly locks: NearCursor | undefined;

  constructor(reader: MvccReader, snapshot: Snapshot, range: ScanRange) {
    this.reader = reader;
    this.snapshot = snapshot;
    this.range = range;
    const { lower, upper } = range;
    this.writes = new NearCursor(reader.view.cursor("write", { lower, upper }));
    this.locks = checksLocks(snapshot)
      ? new NearCursor(reader.view.cursor("lock", { lower, upper }))
      : undefined;
    for (const cursor of [this.writes, this.locks]) {
      if (range.reverse) cursor?.seekBefore(upper);
      else cursor?.seek(lower);
    }
  }

  /** The next key that has something to show; undefined at the end. */
  next(): Outcome<ScanItem | undefined> {
    for (;;) {
      const writeKey = this.writes.valid ? keyOfVersion(this.writes.key) : undefined;
      const lockKey = this.locks?.valid === true ? this.locks.key : undefined;
      const key = this.nearer(writeKey, lockKey);
      if (key === undefined) return done(undefined);
      const user = this.reader.userKey(key === lockKey ? "lock" : "write", key);
      if (user === undefined) return done(undefined);
      let item = key === lockKey ? this.throughLock(key, user) : "free";
      if (item === "free" && key === writeKey) {
        const version = this.visible(key, user);
        if (!version.ok) return version;
        item = this.itemOf(user, this.found(key, version.value));
      }
      if (key === writeKey) this.leave(key);
      if (this.reader.damage !== undefined) return done(undefined);
      if (item !== undefined && item !== "free") return done(item);
    }
  }

  private nearer(a: Key | undefined, b: Key | undefined): Key | undefined {
    if (a === undefined || b === undefined) return a ?? b;
    return a < b === this.range.reverse ? b : a;
  }

  /** What the lock on `key` shows or hides; "free" where it is not in the way. */
  private throughLock(key: Key, user: Key): ScanItem | undefined | "free" {
    const { reader, snapshot, locks, range } = this;
    const lock = reader.lockOf(key, locks!.value);
    if (range.reverse) locks!.previous();
    else locks!.next();
    const conflict = lock === undefined ? undefined : conflictOf(snapshot, user, lock);
    if (lock === undefined || conflict === undefined) return "free";
    const options = { keyOnly: range.keyOnly, needCommitTs: NO_COMMIT_TS };
    return isReadable(snapshot, lock, options)
      ? this.itemOf(user, foundInLock(reader, key, lock, options))
      : { ok: false, refusal: conflict };
  }

  /** The version of `key`, at whose records the cursor stands, that the snapshot sees. */
  private visible(key: Key, user: Key): Outcome<Version | undefined> {
    const { reader, snapshot, writes, range } = this;
    const { readTs } = snapshot;
    if (range.reverse) {
      const found = new OldestFirst(reader, key, writes).visibleAt(readTs);
      return snapshot.isolation === IsolationLevel.RCCheckTS && found.newerTs !== undefined
        ? refused(newerVersion(snapshot, user, ZERO_TIMESTAMP, found.newerTs, EMPTY_KEY))
        : done(found.version);
    }
    const versions = new Versions(reader, key, writes);
    if (snapshot.isolation === IsolationLevel.RCCheckTS && writes.key < versionKey(key, readTs)) {
      const newest = versions.newest()?.commitTs ?? ZERO_TIMESTAMP;
      return refused(newerVersion(snapshot, user, ZERO_TIMESTAMP, newest, EMPTY_KEY));
    }
    return done(versions.visibleAt(readTs, readTs));
  }

  private found(key: Key, version: Version | undefined): Found | undefined {
    if (version === undefined) return undefined;
    if (this.range.keyOnly) return { value: new Uint8Array(0), commitTs: version.commitTs };
    const value = this.reader.value(key, version.write);
    return value === undefined ? undefined : { value, commitTs: version.commitTs };
  }

  private itemOf(user: Key, found: Found | undefined): ScanItem | undefined {
    return found === undefined ? undefined : { ok: true, key: user, value: found.value };
  }

  /** Goes on to the next key's records, wherever among those of `key` the cursor stands. */
  private leave(key: Key): void {
    if (this.range.reverse) this.writes.backwardBefore(key);
    else this.writes.forwardTo(afterVersions(key));
  }
}
