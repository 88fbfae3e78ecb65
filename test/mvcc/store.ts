/**
 * A store of one region that evaluates a line at a time, as the owner of the room will: raise
 * `max_ts`, take the parts, evaluate, apply.
 */
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import { Timestamp, ZERO_TIMESTAMP, maxTimestamp } from "../../engine/base/timestamp.ts";
import {
  type KeyRange,
  type MvccCall,
  type MvccRead,
  type MvccWrite,
  answerRead,
  evaluateWrite,
  maxTsOf,
  partOf,
} from "../../engine/mvcc/calls.ts";
import type { Evaluation } from "../../engine/mvcc/evaluation.ts";
import { collectGarbage } from "../../engine/mvcc/gc.ts";
import { encodeKey } from "../../engine/mvcc/keys.ts";
import type { TikvReply } from "../../engine/protocol/services.ts";
import { emptyMemtable } from "../../engine/storage/lsm/memtable/memtable.ts";
import { NO_TABLES, stackOf } from "../../engine/storage/lsm/reading/stack.ts";
import { Workspace } from "../../engine/storage/lsm/workspace.ts";
import type { KvOperation } from "../../engine/storage/types.ts";
import { callOf } from "./requests.ts";
import { describeOperation } from "./describe.ts";
import { CountingView } from "./view.ts";
import { type Line, parseLine, tell } from "./words.ts";

export class Store {
  readonly data: Workspace = new Workspace(stackOf(emptyMemtable()), NO_TABLES);
  bounds: KeyRange = { start: EMPTY_KEY, end: EMPTY_KEY };
  /** What the owner knows of reads: raised by calls, or set by a test. */
  maxTs: Timestamp = ZERO_TIMESTAMP;
  /** Of the last write. */
  last: Evaluation<TikvReply> | undefined;
  /** Operations since they were last looked at, a line each. */
  private changes: string[] = [];

  /** What the store answers to `line`. */
  say(line: string): string {
    const parsed = parseLine(line);
    if (parsed.verb === "gc") return this.collect(parsed);
    if (parsed.verb === "max") {
      this.maxTs = maxTimestamp(this.maxTs, parsed.startTs);
      return "ok";
    }
    if (["put", "remove", "touch"].includes(parsed.verb)) return this.write(parsed);
    const call = callOf(parsed);
    return isRead(call) ? tell(this.read(call).response) : tell(this.evaluate(call).response);
  }

  read(call: MvccRead): TikvReply {
    this.maxTs = maxTimestamp(this.maxTs, maxTsOf(call));
    return answerRead(this.view(), call, this.bounds).response;
  }

  evaluate(call: MvccWrite): TikvReply {
    this.maxTs = maxTimestamp(this.maxTs, maxTsOf(call));
    let from: Key = EMPTY_KEY;
    for (;;) {
      const view = this.view();
      const part = partOf(view, call, this.bounds, from);
      const { bounds, maxTs } = this;
      this.last = evaluateWrite(view, call, part, { bounds, maxTs });
      this.apply(this.last.operations);
      if (part.next === undefined) return this.last.response;
      from = part.next;
    }
  }

  /** What changed since the last time. */
  takeChanges(): readonly string[] {
    const changes = this.changes;
    this.changes = [];
    return changes;
  }

  apply(operations: readonly KvOperation[]): void {
    for (const operation of operations) {
      this.data.perform(operation);
      this.changes.push(describeOperation(operation));
    }
  }

  /** This instant. */
  view(): CountingView {
    return new CountingView(this.data.snapshot());
  }

  /** "put k v @5..10": a transaction of one key from beginning to end. */
  private write({ verb, words: [key, value], startTs, commitTs }: Line): string {
    const mutation =
      verb === "put" ? `put:${key}=${value}` : verb === "remove" ? `delete:${key}` : `lock:${key}`;
    const prewritten = this.say(`prewrite @${startTs} primary=${key} ${mutation}`);
    if (prewritten !== "ok") return prewritten;
    const committed = this.say(`commit @${startTs}..${commitTs} ${key}`);
    return committed.startsWith("commitVersion=") ? "ok" : committed;
  }

  private collect({ words, startTs, options }: Line): string {
    const key = encodeKey((words[0] ?? "") as Key);
    const limit = Number(options.get("limit") ?? 100);
    const view = this.view();
    const { operations, complete, found, dropped } = collectGarbage(view, key, startTs, limit);
    this.apply(operations);
    return `found=${found}, dropped=${dropped}${complete ? "" : ", more"}`;
  }
}

const READS: readonly string[] = [
  "KvGet",
  "KvBatchGet",
  "KvBufferBatchGet",
  "KvScan",
  "KvScanLock",
  "MvccGetByKey",
  "MvccGetByStartTs",
];

const isRead = (call: MvccCall): call is MvccRead => READS.includes(call.method);
