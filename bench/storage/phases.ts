/**
 * What every engine of the storage benchmark goes through, each in a process of its own: random
 * writes, compaction, opening, reads, scans, and a load in order of the keys into an empty store.
 */
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { mkdirSync } from "node:fs";
import type { Batch, EngineOptions, OpenEngine, StorageEngine } from "./engine.ts";
import { ENTRY_BYTES, Shuffle, VALUE_BYTES, keyAt, valueAt } from "./keys.ts";
import { bytesWritten, forgetPeak, peakMemory, spaceOf, threadTimes } from "./resources.ts";
import type { ThreadTimes } from "./resources.ts";

export interface Plan extends EngineOptions {
  readonly entries: number;
  /** Phases that are left out: scans of everything take long with many entries. */
  readonly only: readonly Phase[];
}

export type Phase = "write" | "read" | "scan" | "load";
export const PHASES: readonly Phase[] = ["write", "read", "scan", "load"];

/** Name and value; the names are those of `FIGURES` in `bench/storage.ts`. */
export type Figures = Record<string, number>;

const BATCH = 100;
const LOAD_BATCH = 1000;
/** Reads of each kind, and short scans. */
const READS = 300_000;
const SHORT_SCANS = 20_000;
const ROUNDS = 3;
const SHORT = 100;
/** Entries, one behind the other, that are read again and again. */
const HOT = 100_000;

export async function runPhases(open: OpenEngine, plan: Plan): Promise<Figures> {
  const figures: Figures = {};
  if (plan.only.some((phase) => phase !== "load")) await unordered(open, plan, figures);
  if (plan.only.includes("load")) await load(open, plan, figures);
  return figures;
}

/** A store whose entries came in random order: writing, compacting, opening and reading it. */
async function unordered(open: OpenEngine, plan: Plan, figures: Figures): Promise<void> {
  const wants = (phase: Phase): boolean => plan.only.includes(phase);
  const directory = join(plan.directory, "random");
  mkdirSync(directory);
  let engine = await open({ ...plan, directory });
  await fill(engine, plan, figures);
  if (wants("write")) await settle(engine, directory, plan, figures);
  await engine.close();

  const begun = performance.now();
  engine = await open({ ...plan, directory });
  if (engine.get(keyAt(0)) === undefined) throw new Error("an entry was lost");
  figures["open"] = performance.now() - begun;
  forgetPeak();
  if (wants("read")) read(engine, plan, figures);
  if (wants("scan")) await scan(engine, plan, figures);
  figures["read memory"] = peakMemory();
  await engine.close();
}

/** Random order, batches of 100, each durable before the next one begins. */
async function fill(engine: StorageEngine, plan: Plan, figures: Figures): Promise<void> {
  const order = new Shuffle(plan.entries, 1);
  forgetPeak();
  const measured = await watched(async () => {
    for (let from = 0; from < plan.entries; from += BATCH) {
      const count = Math.min(BATCH, plan.entries - from);
      await engine.write(
        batchOf(count, (i) => order.at(from + i)),
        true,
      );
    }
  });
  figures["write"] = plan.entries / measured.seconds;
  figures["write cpu"] = (measured.cpuSeconds * 1e6) / plan.entries;
  figures["write pause"] = measured.pauseMs;
  figures["write own pause"] = measured.ownPauseMs;
  figures["write turn"] = measured.pauseCpuMs;
  figures["write memory"] = peakMemory();
}

async function settle(
  engine: StorageEngine,
  directory: string,
  plan: Plan,
  figures: Figures,
): Promise<void> {
  forgetPeak();
  const measured = await watched(() => engine.settle());
  figures["settle"] = measured.seconds;
  figures["settle pause"] = measured.pauseMs;
  figures["settle own pause"] = measured.ownPauseMs;
  figures["settle turn"] = measured.pauseCpuMs;
  figures["settle memory"] = peakMemory();
  figures["amplification"] = bytesWritten() / (plan.entries * ENTRY_BYTES);
  figures["space"] = spaceOf(directory) / (plan.entries * ENTRY_BYTES);
}

function read(engine: StorageEngine, { entries }: Plan, figures: Figures): void {
  const found = (index: number): void => {
    if (engine.get(keyAt(index))?.length !== VALUE_BYTES) throw new Error("an entry is missing");
  };
  const hot = Math.min(HOT, entries);
  const first = Math.floor((entries - hot) / 2);
  const again = new Shuffle(hot, 2);
  const anywhere = new Shuffle(entries, 3);
  const reads = Math.max(READS, hot);
  // The first round brings it into memory.
  for (let i = 0; i < hot; i++) found(first + again.at(i));
  figures["read hot"] = rate(reads, (i) => found(first + again.at(i % hot)));
  for (let i = 0; i < Math.min(entries, READS); i++) found(anywhere.at(i));
  figures["read all"] = rate(reads, (i) => found(anywhere.at(i % entries)));
  figures["read absent"] = rate(reads, (i) => {
    if (engine.get(keyAt(anywhere.at(i % entries), true)) !== undefined) {
      throw new Error("an entry was found that nobody has written");
    }
  });
}

async function scan(engine: StorageEngine, { entries }: Plan, figures: Figures): Promise<void> {
  for (const reverse of [false, true]) {
    const way = reverse ? "reverse" : "forward";
    const full = await watched(async () => {
      const count = await engine.scan(undefined, entries + 1, reverse);
      if (count !== entries) throw new Error(`a scan found ${count} of ${entries} entries`);
    });
    figures[`scan ${way}`] = entries / full.seconds;
    figures[`scan ${way} cpu`] = (full.cpuSeconds * 1e6) / entries;
    const places = new Shuffle(entries, 4);
    const scans = Math.min(SHORT_SCANS, entries);
    const short = await watched(async () => {
      for (let i = 0; i < scans; i++) await engine.scan(keyAt(places.at(i)), SHORT, reverse);
    });
    figures[`short ${way}`] = scans / short.seconds;
    figures[`short ${way} cpu`] = (short.cpuSeconds * 1e6) / scans;
  }
}

/** In order of the keys, durable at the end. */
async function load(open: OpenEngine, plan: Plan, figures: Figures): Promise<void> {
  const directory = join(plan.directory, "ordered");
  mkdirSync(directory);
  const engine = await open({ ...plan, directory });
  forgetPeak();
  const measured = await watched(async () => {
    for (let from = 0; from < plan.entries; from += LOAD_BATCH) {
      const count = Math.min(LOAD_BATCH, plan.entries - from);
      const isLast = from + count === plan.entries;
      await engine.write(
        batchOf(count, (i) => from + i),
        isLast,
      );
    }
  });
  figures["load"] = plan.entries / measured.seconds;
  figures["load cpu"] = (measured.cpuSeconds * 1e6) / plan.entries;
  figures["load pause"] = measured.pauseMs;
  figures["load own pause"] = measured.ownPauseMs;
  figures["load turn"] = measured.pauseCpuMs;
  figures["load memory"] = peakMemory();
  await engine.close();
}

function batchOf(count: number, index: (i: number) => number): Batch {
  const keys: Uint8Array[] = [];
  const values: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const at = index(i);
    keys.push(keyAt(at));
    values.push(valueAt(at));
  }
  return { keys, values };
}

/** Operations in a second of the processor, in the best of some rounds. */
function rate(count: number, operation: (i: number) => void): number {
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const begun = process.cpuUsage();
    for (let i = 0; i < count; i++) operation(i);
    const { user, system } = process.cpuUsage(begun);
    best = Math.max(best, (count * 1e6) / (user + system));
  }
  return best;
}

interface Measured {
  readonly seconds: number;
  /** Of all threads of the process. */
  readonly cpuSeconds: number;
  /** The longest the event loop did not turn. */
  readonly pauseMs: number;
  /** The same, without the time in which the thread could have run but others did. */
  readonly ownPauseMs: number;
  /** The same, without all the time in which the thread was not on a processor. */
  readonly pauseCpuMs: number;
}

async function watched(work: () => Promise<void>): Promise<Measured> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const turns = new TurnWatch();
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await work();
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  turns.end();
  const { longestMs: ownPauseMs, longestRunMs: pauseCpuMs } = turns;
  const cpuSeconds = (user + system) / 1e6;
  return { seconds, cpuSeconds, pauseMs: delay.max / 1e6, ownPauseMs, pauseCpuMs };
}

/**
 * Looks at the clocks as often as the event loop lets a timer run. A machine that others use too
 * keeps a thread waiting for a processor; a thread that waits for a disk waits by its own fault.
 */
class TurnWatch {
  longestMs = 0;
  longestRunMs = 0;
  private readonly times: () => ThreadTimes = threadTimes();
  private last: ThreadTimes = this.times();
  private lastMs: number = performance.now();
  private readonly timer: NodeJS.Timeout = setInterval(() => this.turn(), 1);

  end(): void {
    clearInterval(this.timer);
  }

  private turn(): void {
    const now = this.times();
    const nowMs = performance.now();
    const waitedMs = now.waitedMs - this.last.waitedMs;
    this.longestMs = Math.max(this.longestMs, nowMs - this.lastMs - waitedMs);
    this.longestRunMs = Math.max(this.longestRunMs, now.ranMs - this.last.ranMs);
    this.last = now;
    this.lastMs = nowMs;
  }
}
