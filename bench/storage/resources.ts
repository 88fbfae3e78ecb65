/** What a process has used, as Linux tells; 0 where it does not. */
import { lstatSync, openSync, readFileSync, readSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The most memory the process has held since `forgetPeak`, in bytes, mapped files included. */
export const peakMemory = (): number => 1024 * numberIn("/proc/self/status", /VmHWM:\s+(\d+)/);

/** From now on `peakMemory` counts anew. */
export function forgetPeak(): void {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // Not this system: the peak is that of the whole process then.
  }
}

/** Bytes that the process has made the system write to its disks. */
export const bytesWritten = (): number => numberIn("/proc/self/io", /^write_bytes: (\d+)/m);

/** A clock of the time that the process's first thread has been on a processor. */
export function threadClock(): () => number {
  const text = Buffer.alloc(64);
  let fd: number;
  try {
    fd = openSync(`/proc/self/task/${process.pid}/schedstat`, "r");
  } catch {
    return () => 0;
  }
  // Milliseconds; the file has nanoseconds, and other things behind them.
  return () => Number.parseInt(text.toString("latin1", 0, readSync(fd, text, 0, 64, 0)), 10) / 1e6;
}

function numberIn(file: string, pattern: RegExp): number {
  try {
    return Number(pattern.exec(readFileSync(file, "latin1"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** What the files of a directory occupy, in bytes. */
export function spaceOf(directory: string): number {
  let total = 0;
  for (const file of readdirSync(directory)) {
    const stat = lstatSync(join(directory, file), { throwIfNoEntry: false });
    if (stat?.isFile() === true) total += stat.blocks * 512;
  }
  return total;
}
