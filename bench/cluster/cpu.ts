/** Processor time of other processes, as Linux tells. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Of `/proc/PID/stat`: USER_HZ, which is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Where the fields lie that `proc(5)` numbers from 1; the first two are cut off. */
const [UTIME, STIME, CUTIME, CSTIME] = [14 - 3, 15 - 3, 16 - 3, 17 - 3] as const;

/**
 * Seconds of user and system time that the process has had, all threads, and the children that it
 * has waited for. Throws where there is no such process.
 */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field is a name in brackets, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = [UTIME, STIME, CUTIME, CSTIME].map((field) => Number(fields[field]));
  return ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND;
}

const QUIET_SHARE = 0.1;
const QUIET_SECONDS = 3;

/**
 * Waits until the processes, together, have taken less than a tenth of a processor for three
 * seconds, but not longer than `mostSeconds`. False where that was not enough.
 */
export async function quiet(pids: readonly number[], mostSeconds: number): Promise<boolean> {
  const total = (): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  for (let waited = 0; waited < mostSeconds; waited += QUIET_SECONDS) {
    const before = total();
    await sleep(QUIET_SECONDS * 1000);
    if (total() - before < QUIET_SHARE * QUIET_SECONDS) return true;
  }
  return false;
}

/** The processes that `pid` has started and that have not ended. */
export function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

/**
 * As `cpuSeconds`, with all children: of those that have ended the parent keeps the account, so the
 * sum never loses any.
 */
export function familyCpuSeconds(pid: number): number {
  let seconds = cpuSeconds(pid);
  for (const child of childrenOf(pid)) {
    try {
      seconds += cpuSeconds(child);
    } catch {
      // It has ended meanwhile, and counts for its parent from the next reading on.
    }
  }
  return seconds;
}
