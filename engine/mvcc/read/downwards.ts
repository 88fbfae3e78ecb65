/**
 * The version of a key that a reader sees, for a scan downwards: its cursor comes to the oldest
 * version first, and turning a cursor round is dear, so the newest one that is old enough is found
 * on the way up, unless that is long.
 */
import type { Key } from "../../base/bytes.ts";
import type { Timestamp } from "../../base/timestamp.ts";
import { timestampOfVersion } from "../keys.ts";
import { isBehindFence, isChange } from "../record/write.ts";
import { NEAR_STEPS, type NearCursor } from "./near-cursor.ts";
import type { MvccReader } from "./reader.ts";
import { type Version, Versions } from "./versions.ts";

export interface FoundDownwards {
  readonly version: Version | undefined;
  /** The commit timestamp of a version that is too new, if one was met. */
  readonly newerTs: Timestamp | undefined;
}

export class OldestFirst {
  private readonly reader: MvccReader;
  private readonly key: Key;
  private readonly cursor: NearCursor;

  /** `cursor` stands at the oldest version of the encoded key `key`. */
  constructor(reader: MvccReader, key: Key, cursor: NearCursor) {
    this.reader = reader;
    this.key = key;
    this.cursor = cursor;
  }

  visibleAt(readTs: Timestamp): FoundDownwards {
    const { reader, key, cursor } = this;
    let candidate: Version | undefined;
    for (let steps = 0; steps < NEAR_STEPS; steps++) {
      const commitTs = this.here();
      if (commitTs === undefined || commitTs > readTs) {
        return { version: asSeen(candidate), newerTs: commitTs };
      }
      const write = reader.writeOf(cursor.key, cursor.value);
      if (write === undefined) return { version: undefined, newerTs: undefined };
      if (isBehindFence(write, readTs)) candidate = undefined;
      else if (isChange(write)) candidate = { commitTs, write };
      cursor.previous();
    }
    const versions = new Versions(reader, key, cursor);
    const newest = versions.newest()?.commitTs;
    const newerTs = newest !== undefined && newest > readTs ? newest : undefined;
    return { version: versions.visibleAt(readTs, readTs), newerTs };
  }

  /** The commit timestamp where the cursor stands; undefined where it has left the key. */
  private here(): Timestamp | undefined {
    const { cursor, key } = this;
    if (!cursor.valid || !cursor.key.startsWith(key)) return undefined;
    return timestampOfVersion(cursor.key);
  }
}

const asSeen = (candidate: Version | undefined): Version | undefined =>
  candidate?.write.type === "put" ? candidate : undefined;
