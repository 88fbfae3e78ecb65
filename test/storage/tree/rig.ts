/**
 * Drives the storage machine with all its tracks: both lanes and every job go on one piece at a
 * time, in whatever order the test says.
 */
import { Ticket } from "../../../engine/base/ids.ts";
import { createWire } from "../../../engine/base/wire.ts";
import type { DiskOperation } from "../../../engine/storage/disk.ts";
import { DEFAULT_LSM } from "../../../engine/storage/lsm/config.ts";
import { runJob } from "../../../engine/storage/lsm/jobs/job.ts";
import type { Job, JobOutcome, LsmConfig } from "../../../engine/storage/lsm/types.ts";
import { open } from "../../../engine/storage/open.ts";
import type { StorageState } from "../../../engine/storage/state.ts";
import { step } from "../../../engine/storage/storage.ts";
import { TableCache } from "../../../engine/storage/table/cache.ts";
import type {
  Recovered,
  StorageConfig,
  StorageEffect,
  StorageInput,
} from "../../../engine/storage/types.ts";
import type { Random } from "../../../sim/disk/content.ts";
import { SimulatedDisk } from "../../../sim/disk/disk.ts";
import type { Crash } from "../../../sim/disk/disk.ts";
import type { Track } from "../../../sim/disk/tracks.ts";
import { IDENTITY } from "../rig.ts";

/** So small that a few entries fill a level. */
export const SMALL: LsmConfig = {
  ...DEFAULT_LSM,
  table: { blockBytes: 120, restartInterval: 4, compression: "none", filterBits: 10 },
  tableBytes: 600,
  levelZeroTables: 2,
  levelBytes: 1500,
  levelGrowth: 3,
  compactions: 2,
  bytesPerSecond: 0,
  compressFrom: 2,
  manifestBytes: 700,
};

export const SMALL_STORE: StorageConfig = { segmentBytes: 1500, sliceBytes: 400, lsm: SMALL };

type Slices = Generator<readonly DiskOperation[], JobOutcome, void>;

export class TreeRig {
  readonly disk: SimulatedDisk;
  readonly config: StorageConfig;
  readonly random: Random;
  readonly cacheBytes: number;
  tables: TableCache;
  state!: StorageState;
  /** Effects that are not performed here, since the last look. */
  seen: StorageEffect[] = [];
  /** Every job that was asked for. */
  readonly jobs: Job[] = [];
  durable = 0;
  failed = false;
  readonly #wire = createWire();
  #slices = new Map<Track, Slices>();
  #ticket = 0;

  constructor(
    config: StorageConfig = SMALL_STORE,
    random: Random = () => 0.5,
    disk: SimulatedDisk = new SimulatedDisk(),
    cacheBytes: number = 1 << 20,
  ) {
    this.config = config;
    this.random = random;
    this.disk = disk;
    this.cacheBytes = cacheBytes;
    this.tables = new TableCache(disk, cacheBytes);
  }

  /** Opens the directory as it is and takes its effects. Throws where it is refused. */
  open(): Recovered {
    const result = open(this.disk, this.config, this.#wire);
    if (!result.ok) throw new Error(`${result.file} at ${result.offset}: ${result.detail}`);
    this.tables = new TableCache(this.disk, this.cacheBytes);
    this.state = result.state;
    this.#take(result.effects);
    return result.recovered;
  }

  /** A fresh directory that belongs to `IDENTITY`. */
  start(): this {
    this.open();
    this.input({ type: "identify", identity: IDENTITY, ticket: this.ticket() });
    this.input({ type: "turn_ended" });
    return this.settle();
  }

  /** Goes on after the tickets of another rig. */
  after(other: TreeRig): this {
    this.#ticket = other.#ticket;
    return this;
  }

  ticket(): Ticket {
    this.#ticket += 1;
    return Ticket(this.#ticket);
  }

  input(input: StorageInput): void {
    const { state, effects } = step(this.state, input);
    this.state = state;
    this.#take(effects);
  }

  /** Everything that could go on. */
  tracks(): readonly Track[] {
    return this.disk.tracks.waiting;
  }

  /** Whether this track is a job's. */
  isOfJob(track: Track): boolean {
    return this.#slices.has(track);
  }

  /** Performs the next piece of a track. */
  advance(track: Track): void {
    this.disk.start(this.random, track);
    const done = this.disk.finish(this.random, track);
    const slices = this.#slices.get(track);
    if (slices === undefined) {
      this.input(done);
    } else if (done.type === "written") {
      this.#pull(done.ticket, slices);
    } else {
      const { ticket, reason, file } = done;
      this.#slices.delete(track);
      const failure = { reason, file, offset: 0, detail: "refused", damage: undefined };
      this.input({ type: "job_failed", ticket, failure });
    }
  }

  /** Goes on until nothing is left; the order is drawn. */
  settle(): this {
    for (;;) {
      const tracks = this.tracks();
      const track = tracks[Math.floor(this.random() * tracks.length)];
      if (track === undefined) return this;
      this.advance(track);
    }
  }

  /** Loses the process or all power, with some of the work under way, and opens again. */
  crash(kind: Crash = "power"): Recovered {
    for (const track of this.tracks()) if (this.random() < 0.7) this.disk.start(this.random, track);
    this.disk.crash(kind, this.random);
    this.seen = [];
    this.#slices.clear();
    return this.open();
  }

  #take(effects: readonly StorageEffect[]): void {
    for (const effect of effects) {
      if (effect.type === "write") this.disk.submit(effect);
      else if (effect.type === "job") this.#begin(effect.ticket, effect.job);
      else this.seen.push(effect);
      if (effect.type === "durable") this.durable = effect.ticket;
      if (effect.type === "failed") this.failed = true;
      if (effect.type === "removed") this.tables.forget(effect.number);
    }
  }

  #begin(ticket: Ticket, job: Job): void {
    this.jobs.push(job);
    const slices = runJob(job, this.disk);
    this.#slices.set(ticket, slices);
    // The first slice is computed later, as on another thread.
    this.disk.submitSlice(ticket, []);
  }

  #pull(ticket: Ticket, slices: Slices): void {
    const next = slices.next();
    if (next.done !== true) {
      this.disk.submitSlice(ticket, next.value);
      return;
    }
    this.#slices.delete(ticket);
    const outcome = next.value;
    this.input(
      outcome.ok
        ? { type: "job_done", ticket, result: outcome.result }
        : { type: "job_failed", ticket, failure: outcome.failure },
    );
  }
}
