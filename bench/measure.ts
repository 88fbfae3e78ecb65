/**
 * Measuring within one process: every contestant runs once a round, rounds follow each other, and
 * the median of the rounds counts, so that all contestants see the machine's good and bad minutes.
 * CPU time is that of the whole process, garbage collection threads included.
 */
import { garbageCollector } from "../runtime/jobs/garbage.ts";

/** One way of doing something. */
export interface Contestant {
  readonly name: string;
  /** Not measured: makes what one round works on. The round itself is what it returns. */
  readonly prepare: () => () => Work;
}

/** What a round did. */
export interface Work {
  readonly operations: number;
  /** Kept alive until the round was measured. */
  readonly result?: unknown;
}

/** Medians, for one operation. */
export interface Figure {
  readonly name: string;
  readonly cpuUs: number;
  readonly wallUs: number;
}

/** Collects all garbage now, so that no round pays for the one before. */
export const collectGarbage: () => void = garbageCollector();

/** `warmUps` rounds are run before those that count: the first runs of any code are slow. */
export function measure(
  contestants: readonly Contestant[],
  rounds: number,
  warmUps: number = 0,
): Figure[] {
  const samples = contestants.map(() => ({ cpuUs: [] as number[], wallUs: [] as number[] }));
  for (let round = -warmUps; round < rounds; round++) {
    for (const [i, contestant] of contestants.entries()) {
      const run = contestant.prepare();
      collectGarbage();
      const cpu = process.cpuUsage();
      const started = process.hrtime.bigint();
      const { operations } = run();
      const wallUs = Number(process.hrtime.bigint() - started) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      if (round < 0) continue;
      samples[i]!.cpuUs.push((user + system) / operations);
      samples[i]!.wallUs.push(wallUs / operations);
    }
  }
  return contestants.map(({ name }, i) => ({
    name,
    cpuUs: median(samples[i]!.cpuUs),
    wallUs: median(samples[i]!.wallUs),
  }));
}

/** Bytes of heap that what `make` returns keeps alive. */
export function heapBytes(make: () => unknown): number {
  // A first collection leaves what finalizers and caches of compiled code still hold.
  collectGarbage();
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const kept = [make()];
  collectGarbage();
  const after = process.memoryUsage().heapUsed;
  kept.pop();
  return after - before;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return sorted.length === 0 ? Number.NaN : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Prints columns as wide as their widest cell: the first to the left, the others to the right. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  for (const row of [header, ...rows]) {
    const cells = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
    );
    console.log(cells.join("  ").trimEnd());
  }
}
