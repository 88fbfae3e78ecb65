/**
 * Enters records into the groups' memory and counts, for each segment, the groups that still need
 * it. Edits fresh copies only; the trees and arrays it was made from stay as they are.
 */
import { assert } from "../../base/assert.ts";
import { idKey } from "../../base/big-endian.ts";
import type { LogIndex, RegionId } from "../../base/ids.ts";
import * as tree from "../../base/tree.ts";
import type { Edit, Tree } from "../../base/tree.ts";
import { heldSegments, repetition, unknownGroup, withRecord } from "./group.ts";
import type { GroupLog } from "./group.ts";
import type { Segment } from "./state.ts";
import type { LogRecord } from "../types.ts";

export class Book {
  readonly #before: Tree<GroupLog>;
  readonly #edit: Edit<GroupLog>;
  readonly #segments: readonly Segment[];
  /**
   * Of each segment, how many more groups hold it than before. Most batches change nothing of it.
   */
  #change: Map<number, number> | undefined;

  constructor(groups: Tree<GroupLog>, segments: readonly Segment[]) {
    this.#before = groups;
    this.#edit = tree.edit(groups);
    this.#segments = segments;
  }

  /** Enters a record that lies in the last segment. */
  enter(record: LogRecord): void {
    const group = this.#group(record.region);
    const judged = withRecord(group, record, this.#current);
    assert(judged.ok, () => (judged.ok ? "" : judged.detail));
    // Most records add entries to the segment that the group holds already.
    if (judged.group.spans.length !== group.spans.length || !holdsAlike(group, judged.group)) {
      this.#count(group, -1);
      this.#count(judged.group, 1);
    }
    this.#edit.set(idKey(record.region), judged.group);
  }

  /** Up to here the group holds nothing as it is. */
  truncatedAt(region: RegionId): LogIndex {
    return this.#group(region).truncated.index;
  }

  /** The first segment that some group holds, or the last one. */
  oldestHeld(): number {
    for (const segment of this.#segments) {
      if (segment.holders + (this.#change?.get(segment.number) ?? 0) > 0) return segment.number;
    }
    return this.#current;
  }

  /** Says again, in the last segment, all that would be lost with the segments before `oldest`. */
  repeat(oldest: number): readonly LogRecord[] {
    const records: LogRecord[] = [];
    // Groups that this batch has touched are in the edit; all others are as they were before.
    for (const [key, before] of tree.entries(this.#before)) {
      records.push(...repetition(this.#edit.get(key) ?? before, oldest));
    }
    for (const record of records) this.enter(record);
    return records;
  }

  /** The segments after this batch, of which the last one grows by `bytes`. */
  segments(bytes: number): readonly Segment[] {
    const last = this.#segments.length - 1;
    return this.#segments.map(({ number, file, size, holders }, i) => ({
      number,
      file,
      size: i === last ? size + bytes : size,
      holders: holders + (this.#change?.get(number) ?? 0),
    }));
  }

  /** Ends the book: the groups after this batch. */
  groups(): Tree<GroupLog> {
    return this.#edit.done();
  }

  get #current(): number {
    return this.#segments[this.#segments.length - 1]!.number;
  }

  #group(region: RegionId): GroupLog {
    return this.#edit.get(idKey(region)) ?? unknownGroup(region, true);
  }

  #count(group: GroupLog, by: number): void {
    const change = (this.#change ??= new Map());
    for (const segment of heldSegments(group)) {
      change.set(segment, (change.get(segment) ?? 0) + by);
    }
  }
}

/**
 * Whether two states of a group, one record apart and with equally many spans, hold the same
 * segments.
 */
function holdsAlike(before: GroupLog, after: GroupLog): boolean {
  const last = before.spans.length - 1;
  return (
    before.snapshot === after.snapshot && before.spans[last]?.segment === after.spans[last]?.segment
  );
}
