/** What a process has used, as Linux tells; 0 where it does not. */
import { lstatSync, openSync, readFileSync, readSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The most memory a process has held since its `forgetPeak`, in bytes, mapped files included. */
export const peakMemory = (pid: number | "self" = "self"): number =>
  1024 * numberIn(`/proc/${pid}/status`, /VmHWM:\s+(\d+)/);

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

/** What the system has counted of a thread, in milliseconds. */
export interface ThreadTimes {
  /** It was on a processor. */
  readonly ranMs: number;
  /** It could have run, and others had the processors. */
  readonly waitedMs: number;
}

/** Reads what the process's first thread has had of the processors. */
export function threadTimes(): () => ThreadTimes {
  const text = Buffer.alloc(64);
  let fd: number;
  try {
    fd = openSync(`/proc/self/task/${process.pid}/schedstat`, "r");
  } catch {
    return () => ({ ranMs: 0, waitedMs: 0 });
  }
  return () => {
    // Nanoseconds, and a third number behind them.
    const fields = text.toString("latin1", 0, readSync(fd, text, 0, 64, 0)).split(" ");
    return { ranMs: Number(fields[0]) / 1e6, waitedMs: Number(fields[1]) / 1e6 };
  };
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

/** As `spaceOf`, with all directories below. */
export function spaceBelow(directory: string): number {
  const below = readdirSync(directory, { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const inner = below.map(({ name }) => spaceBelow(join(directory, name)));
  return inner.reduce((sum, bytes) => sum + bytes, spaceOf(directory));
}
