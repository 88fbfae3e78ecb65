/**
 * Our storage engine as a store drives it, without Raft around it: one group whose every batch is
 * an entry of the shared log, applied to the memtable when it is durable; real files, flushes
 * between turns, compactions on a worker's thread. What a store would refuse for a while because
 * compaction is behind, waits here.
 */
import { setImmediate as turn } from "node:timers/promises";
import { EMPTY_KEY, keyFromBytes } from "../../engine/base/bytes.ts";
import { LogIndex, PeerId, RegionId, Term, Ticket, nextTicket } from "../../engine/base/ids.ts";
import { readU32, writeU32 } from "../../engine/base/big-endian.ts";
import { createWire } from "../../engine/base/wire.ts";
import type { Entry } from "../../engine/raft/types.ts";
import { DEFAULT_LSM } from "../../engine/storage/lsm/config.ts";
import { runJob } from "../../engine/storage/lsm/jobs/job.ts";
import { pressure } from "../../engine/storage/lsm/pressure.ts";
import { lookUp } from "../../engine/storage/lsm/reading/stack.ts";
import { stackView } from "../../engine/storage/lsm/reading/view.ts";
import { Workspace } from "../../engine/storage/lsm/workspace.ts";
import { open } from "../../engine/storage/open.ts";
import { stackOf, withMemtable } from "../../engine/storage/state.ts";
import type { StorageState } from "../../engine/storage/state.ts";
import { step } from "../../engine/storage/storage.ts";
import { TableCache } from "../../engine/storage/table/cache.ts";
import type { StorageEffect, StorageInput } from "../../engine/storage/types.ts";
import { openDisk } from "../../runtime/files/disk.ts";
import type { FileDisk } from "../../runtime/files/disk.ts";
import { JobRunner } from "../../runtime/jobs/jobs.ts";
import type { Batch, EngineOptions, StorageEngine } from "./engine.ts";

const REGION = RegionId(2);
const TERM = Term(1);
const HARD_STATE = { term: TERM, vote: PeerId(1), commit: LogIndex(0) };
const SEGMENT_BYTES = 32 << 20;
const SLICE_BYTES = 256 << 10;
/** Batches that wait for the disk at once where nobody waits for each. */
const WINDOW = 16;
/** Frozen memtables and tables of level 0 at which writers wait. */
const MAX_FROZEN = 1;
const MAX_LEVEL_ZERO = 16;

interface Waiting {
  readonly ticket: Ticket;
  readonly apply: () => void;
}

export async function openOurs(options: EngineOptions): Promise<StorageEngine> {
  const engine = new Ours(options);
  await engine.ready();
  return engine;
}

class Ours implements StorageEngine {
  private readonly disk: FileDisk;
  private readonly tables: TableCache;
  private readonly jobs: JobRunner;
  private readonly memtableBytes: number;
  private state: StorageState;
  private index: LogIndex;
  private applied: LogIndex;
  private ticket: Ticket = Ticket(1);
  private waiting: Waiting[] = [];
  /** Woken after every change of the state. */
  private sleepers: (() => void)[] = [];
  /** What becomes of jobs and writes that are still under way is not heard any more. */
  private closed = false;

  constructor(options: EngineOptions) {
    const opening = openDisk(options.directory);
    if (!opening.ok) throw new Error(opening.detail);
    this.disk = opening.disk;
    this.memtableBytes = options.memoryBytes / 16;
    this.tables = new TableCache(this.disk, (options.memoryBytes * 5) / 16);
    this.jobs = new JobRunner({
      disk: this.disk,
      code: runJob,
      worker: new URL("../../runtime/jobs/store-worker.js", import.meta.url),
      ended: (ended) => this.input(ended),
      failed: (error) => {
        throw error;
      },
    });
    const compression = options.compression ? ("lz4" as const) : ("none" as const);
    const lsm = { ...DEFAULT_LSM, table: { ...DEFAULT_LSM.table, compression } };
    const config = { segmentBytes: SEGMENT_BYTES, sliceBytes: SLICE_BYTES, lsm };
    const result = open(this.disk, config, createWire());
    if (!result.ok) throw new Error(`${result.file} at byte ${result.offset}: ${result.detail}`);
    this.state = result.state;
    this.applied = result.recovered.marks[0]?.applied ?? LogIndex(0);
    this.index = this.applied;
    for (const { entries } of result.recovered.groups) this.replay(entries);
    this.perform(result.effects);
    if (result.recovered.identity === undefined) {
      const identity = { cluster: 1n, store: 1 as never };
      this.input({ type: "identify", identity, ticket: this.ticket });
    }
  }

  /** What was recovered is durable. */
  async ready(): Promise<void> {
    while (!this.state.opened) await this.change();
  }

  async write(batch: Batch, sync: boolean): Promise<void> {
    while (!this.hasRoom(sync)) await this.change();
    const index = LogIndex(this.index + 1);
    this.index = index;
    const entry: Entry = { index, term: TERM, type: "normal", data: encode(batch) };
    const ticket = nextTicket(this.ticket);
    this.ticket = ticket;
    const record = {
      type: "append" as const,
      region: REGION,
      hardState: HARD_STATE,
      entries: [entry],
    };
    const durable = new Promise<void>((resolve) => {
      this.waiting.push({
        ticket,
        apply: () => {
          if (sync) this.apply(index, batch);
          resolve();
        },
      });
    });
    this.input({ type: "log", ticket, records: [record] });
    this.input({ type: "turn_ended" });
    if (sync) return durable;
    this.apply(index, batch);
    // Requests come in turns of the event loop.
    return turn();
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return lookUp(stackOf(this.state), this.tables, "default", keyFromBytes(key));
  }

  scan(from: Uint8Array | undefined, limit: number, reverse: boolean): number {
    const view = stackView(stackOf(this.state), this.tables);
    const cursor = view.cursor("default", { lower: EMPTY_KEY, upper: EMPTY_KEY });
    const key = from === undefined ? EMPTY_KEY : keyFromBytes(from);
    let count = 0;
    if (reverse) cursor.seekBefore(key);
    else cursor.seek(key);
    while (cursor.valid && count < limit) {
      if (cursor.key.length > 0 && cursor.value.length > 0) count += 1;
      if (reverse) cursor.previous();
      else cursor.next();
    }
    return count;
  }

  async settle(): Promise<void> {
    this.freeze();
    // A store says so two seconds after the last write.
    this.input({ type: "rest" });
    for (;;) {
      const { tree } = this.state;
      const { levelZero, debtBytes } = pressure(this.state);
      const busy = tree.layers.length > 0 || tree.compactions.length > 0 || tree.doomed.length > 0;
      if (!busy && tree.writing === undefined && tree.settled) {
        if (levelZero > DEFAULT_LSM.levelZeroTables || debtBytes > 0)
          throw new Error("not settled");
        return;
      }
      await this.change();
    }
  }

  async close(): Promise<void> {
    while (this.waiting.length > 0) await this.change();
    this.closed = true;
    await this.jobs.close();
    await this.disk.close();
  }

  private hasRoom(sync: boolean): boolean {
    const { layers, levelZero } = pressure(this.state);
    const waits = sync ? 0 : this.waiting.length;
    return layers <= MAX_FROZEN && levelZero <= MAX_LEVEL_ZERO && waits < WINDOW;
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.sleepers.push(resolve));
  }

  private apply(index: LogIndex, { keys, values }: Batch): void {
    const workspace = new Workspace(stackOf(this.state), this.tables);
    for (let i = 0; i < keys.length; i++) {
      const key = keyFromBytes(keys[i]!);
      workspace.perform({ type: "put", cf: "default", key, value: values[i]! });
    }
    this.state = withMemtable(this.state, workspace.done());
    this.applied = index;
    if (this.state.memtable.bytes >= this.memtableBytes) this.freeze();
  }

  private freeze(): void {
    const { applied } = this;
    const mark = { region: REGION, applied, appliedTerm: TERM, meta: new Uint8Array(8) };
    this.input({ type: "freeze", marks: [mark] });
    this.input({ type: "turn_ended" });
  }

  private replay(entries: readonly Entry[]): void {
    for (const { index, data } of entries) {
      this.index = index;
      if (index > this.applied) this.apply(index, decode(data));
    }
  }

  private input(input: StorageInput): void {
    if (this.closed) return;
    const { state, effects } = step(this.state, input);
    this.state = state;
    this.perform(effects);
    const sleepers = this.sleepers;
    this.sleepers = [];
    for (const wake of sleepers) wake();
  }

  private perform(effects: readonly StorageEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "write":
          this.disk.perform(effect, (input) => this.input(input));
          break;
        case "job":
          this.jobs.run(effect.ticket, effect.job);
          break;
        case "durable":
          this.durable(effect.ticket);
          break;
        case "flushed":
          this.flushed(effect.marks[0]!.applied);
          break;
        case "removed":
          this.tables.forget(effect.number);
          break;
        case "failed":
        case "stalled":
          throw new Error(`the disk refuses: ${effect.reason} ${effect.file}`);
        default:
      }
    }
  }

  private durable(ticket: Ticket): void {
    while (this.waiting.length > 0 && this.waiting[0]!.ticket <= ticket) {
      this.waiting.shift()!.apply();
    }
  }

  /** The log forgets what the tables hold. */
  private flushed(index: LogIndex): void {
    const ticket = nextTicket(this.ticket);
    this.ticket = ticket;
    const record = { type: "compact" as const, region: REGION, index, term: TERM };
    this.input({ type: "log", ticket, records: [record] });
    this.input({ type: "turn_ended" });
  }
}

/** Count; then sizes of key and value (4 each), key and value of each entry. */
function encode({ keys, values }: Batch): Uint8Array {
  let size = 4;
  for (let i = 0; i < keys.length; i++) size += 8 + keys[i]!.length + values[i]!.length;
  const bytes = new Uint8Array(size);
  let at = writeU32(keys.length, bytes, 0);
  for (let i = 0; i < keys.length; i++) {
    const [key, value] = [keys[i]!, values[i]!];
    at = writeU32(value.length, bytes, writeU32(key.length, bytes, at));
    bytes.set(key, at);
    bytes.set(value, at + key.length);
    at += key.length + value.length;
  }
  return bytes;
}

function decode(bytes: Uint8Array): Batch {
  const keys: Uint8Array[] = [];
  const values: Uint8Array[] = [];
  let at = 4;
  for (let left = readU32(bytes, 0); left > 0; left--) {
    const [keySize, valueSize] = [readU32(bytes, at), readU32(bytes, at + 4)];
    at += 8;
    keys.push(bytes.subarray(at, at + keySize));
    values.push(bytes.subarray(at + keySize, at + keySize + valueSize));
    at += keySize + valueSize;
  }
  return { keys, values };
}
