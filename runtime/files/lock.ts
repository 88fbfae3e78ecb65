/**
 * Keeps two processes out of one data directory. Node has no flock, so each process that wants the
 * directory puts a claim there: an empty-handed file whose name says which process it is, so that
 * the claim of a dead process is recognised and no two processes ever make the same one.
 *
 * ```
 * lock.<boot>.<pid>.<start>     boot: the machine's boot id, start: the process's start time, in ticks since boot
 * ```
 *
 * A process first makes its claim and then looks for others. Of two that do so at once, at least
 * the second one sees the first: never both get in (both may be refused). A claim is stale when the
 * machine was booted since, or when no process with this id *and* this start time runs, so neither
 * kill -9 nor a reused process id blocks a restart. Removing a stale claim is safe at any time,
 * because its name never comes again.
 *
 * Limits: processes must see each other's ids (one machine, one process namespace). Where there is
 * no /proc, the start time is unknown and a reused id does block; the message says which file.
 */
import { closeSync, openSync, readFileSync, readdirSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Names of claims start so; no other file of a store does. */
export const CLAIM_PREFIX = "lock.";

export type LockResult =
  | { readonly ok: true; readonly lock: Lock }
  /** `detail` is a sentence naming the directory and its holder. */
  | { readonly ok: false; readonly detail: string };

export interface Lock {
  /** Gives the directory back. */
  release(): void;
}

interface Claim {
  readonly boot: string;
  readonly pid: number;
  readonly start: string;
}

/** Claims `directory`, which must exist, for this process. */
export function lockDirectory(directory: string): LockResult {
  const own = nameOf({ boot: bootId(), pid: process.pid, start: startOf(process.pid) ?? "0" });
  const path = join(directory, own);
  try {
    const fd = openSync(path, "wx", 0o644);
    writeSync(fd, `process ${process.pid} uses this directory\n`);
    closeSync(fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return { ok: false, detail: inUse(directory, process.pid, own, "this very process") };
  }
  for (const name of readdirSync(directory)) {
    const claim = name === own ? undefined : claimOf(name);
    if (claim === undefined) continue;
    if (isAlive(claim)) {
      unlinkSync(path);
      return { ok: false, detail: inUse(directory, claim.pid, name, "another process") };
    }
    removeStale(join(directory, name));
  }
  return { ok: true, lock: { release: () => removeStale(path) } };
}

function inUse(directory: string, pid: number, name: string, who: string): string {
  return `the data directory ${directory} is in use by ${who}, ${pid} (claim ${name})`;
}

const nameOf = ({ boot, pid, start }: Claim): string => `${CLAIM_PREFIX}${boot}.${pid}.${start}`;

function claimOf(name: string): Claim | undefined {
  const match = /^lock\.([0-9a-z]+)\.([0-9]+)\.([0-9]+)$/.exec(name);
  if (match === null) return undefined;
  return { boot: match[1]!, pid: Number(match[2]), start: match[3]! };
}

function isAlive(claim: Claim): boolean {
  if (claim.boot !== bootId()) return false;
  const start = startOf(claim.pid);
  if (start !== undefined) return start === claim.start;
  if (startOf(process.pid) !== undefined) return false;
  try {
    process.kill(claim.pid, 0);
    return true;
  } catch (error) {
    // Not permitted to signal it: it lives, and is somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function bootId(): string {
  try {
    const text = readFileSync("/proc/sys/kernel/random/boot_id", "latin1");
    return text.replaceAll(/[^0-9a-f]/g, "").slice(0, 16);
  } catch {
    return "0";
  }
}

/**
 * When the process was started, in clock ticks since boot; undefined where there is none or it is
 * only waiting to be reaped.
 */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the command in parentheses, which may hold anything; state is the third.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ended = fields[0] === "Z" || fields[0] === "X";
    return ended ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function removeStale(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    // Somebody else has removed it.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
