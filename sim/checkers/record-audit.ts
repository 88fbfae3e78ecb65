/**
 * The audit of all records: at the end of a run every record of every region is read where it
 * lies, and held against what clients asked for and were told. Each rule is a sentence of its own:
 * a transaction happened on all of its keys at one timestamp or on none, what was acknowledged is
 * there, nothing is that nobody wrote, and no key says two things about one transaction. What may
 * have been collected as garbage is not missed.
 */
import { equalBytes, hex, type Key } from "../../engine/base/bytes.ts";
import { isChange, type Write } from "../../engine/mvcc/record/write.ts";
import { view as viewOf } from "../../engine/store/query.ts";
import { takesPart } from "../liveness/freeze.ts";
import type { World } from "../model.ts";
import type { Author, Authors } from "./authors.ts";
import { replicasOf } from "./look.ts";
import { type KeyRecords, type Record, recordsOf } from "./records.ts";
import { passed, violated } from "./verdict.ts";

/** When all has converged: all records of transactions, as the leaders of the regions have them. */
export function checkRecords(world: World): void {
  const { authors } = world.checks;
  if (authors.size === 0) return;
  const keys: KeyRecords[] = [];
  for (const machine of world.stores) {
    if (machine.state === undefined) continue;
    const view = viewOf(machine.state, machine.watched);
    for (const { region, raft } of replicasOf(machine)) {
      if (raft.role !== "leader" || !takesPart(world, machine)) continue;
      const found = recordsOf(view, region);
      if (typeof found === "string") {
        violated(world, "records", `region ${region.id} on ${machine.name}: ${found}`);
        return;
      }
      keys.push(...found);
    }
  }
  const problem = judgeRecords(authors, keys, world.checks.replicas.safePoint);
  if (problem === undefined) passed(world, "records", keys.length);
  else violated(world, "records", problem);
}

/**
 * The first rule that is broken, in words; undefined where all hold. Versions may be gone that
 * nobody misses who reads at `safePoint` or later.
 */
export function judgeRecords(
  authors: Authors,
  keys: Iterable<KeyRecords>,
  safePoint: bigint = 0n,
): string | undefined {
  const fates: Fates = {
    safePoint,
    committed: new Map(),
    rolledBack: new Map(),
    newest: new Map(),
    deleted: deletedBy(authors),
    rewinds: [...authors.values()].filter(({ rewinds }) => rewinds !== undefined),
  };
  for (const records of keys) {
    const problem = judgeKey(authors, records, fates);
    if (problem !== undefined) return `key ${text(records.key)}: ${problem}`;
  }
  for (const author of authors.values()) {
    const problem = judgeAuthor(author, fates);
    if (problem !== undefined)
      return `transaction ${author.startTs} of ${author.client} ${problem}`;
  }
  return undefined;
}

/** Keys that anybody meant to delete: of these nothing at all may be left. */
function deletedBy(authors: Authors): ReadonlySet<Key> {
  const keys = new Set<Key>();
  for (const { writes } of authors.values()) {
    for (const [key, { type }] of writes) if (type === "delete") keys.add(key);
  }
  return keys;
}

/** What all keys together say of transactions, by start timestamp. Mutable. */
interface Fates {
  readonly safePoint: bigint;
  readonly deleted: ReadonlySet<Key>;
  readonly rewinds: readonly Author[];
  /** Commit timestamp of the newest version of each key. */
  readonly newest: Map<Key, bigint>;
  readonly committed: Map<bigint, Map<Key, bigint>>;
  readonly rolledBack: Map<bigint, Set<Key>>;
}

function judgeKey(authors: Authors, records: KeyRecords, fates: Fates): string | undefined {
  const { key, versions, lockedBy, values } = records;
  for (const [i, version] of versions.entries()) {
    const problem = judgeVersion(authors, records, i, version, fates.safePoint);
    if (problem !== undefined) return `at ${version.commitTs} ${problem}`;
    note(fates, key, version);
  }
  const [newest] = versions;
  if (newest !== undefined) fates.newest.set(key, newest.commitTs);
  const isOver = (startTs: bigint): boolean =>
    fates.committed.get(startTs)?.has(key) === true ||
    fates.rolledBack.get(startTs)?.has(key) === true;
  for (const startTs of fates.committed.keys()) {
    if (fates.committed.get(startTs)?.has(key) !== true) continue;
    if (fates.rolledBack.get(startTs)?.has(key) === true) {
      return `transaction ${startTs} is both committed and rolled back`;
    }
  }
  if (lockedBy !== undefined && isOver(lockedBy)) {
    return `transaction ${lockedBy} holds a lock, and is over`;
  }
  const stray = values.find(({ needed, startTs }) => !needed && startTs > fates.safePoint);
  return stray === undefined ? undefined : `the value of ${stray.startTs} belongs to no version`;
}

function note({ committed, rolledBack }: Fates, key: Key, { commitTs, write }: Record): void {
  if (write.type === "rollback") addTo(rolledBack, commitTs, key);
  else {
    const keys = committed.get(write.startTs);
    if (keys === undefined) committed.set(write.startTs, new Map([[key, commitTs]]));
    else keys.set(key, commitTs);
  }
  if (write.overlappedRollback) addTo(rolledBack, commitTs, key);
}

function addTo(sets: Map<bigint, Set<Key>>, startTs: bigint, key: Key): void {
  const keys = sets.get(startTs);
  if (keys === undefined) sets.set(startTs, new Set([key]));
  else keys.add(key);
}

function judgeVersion(
  authors: Authors,
  { key, versions }: KeyRecords,
  i: number,
  { commitTs, write, value }: Record,
  safePoint: bigint,
): string | undefined {
  if (write.type === "rollback") {
    return write.startTs === commitTs ? undefined : `${write.startTs} is rolled back`;
  }
  const { startTs, type } = write;
  if (commitTs <= startTs) return `${startTs} is committed, which began later`;
  const again = versions.find(
    (other, at) => at > i && other.write.startTs === startTs && other.write.type !== "rollback",
  );
  if (again !== undefined) return `${startTs} is committed, and at ${again.commitTs} again`;
  const author = authors.get(startTs);
  if (author?.rewinds !== undefined) {
    return rewindProblem(versions, i, value, author.rewinds.to, safePoint);
  }
  const intent = author?.writes.get(key);
  if (intent === undefined) return `${startTs} is committed, which never wrote here`;
  if (intent.type !== type) return `${startTs} did a ${type}, and meant a ${intent.type}`;
  if (type === "put" && (value === undefined || !equalBytes(value, intent.value))) {
    return `${startTs} did not put the value that it meant to`;
  }
  return (
    lastChangeProblem(versions, i, write, safePoint) ?? fenceProblem(versions, i, write, safePoint)
  );
}

/** A flashback writes what its key was. */
function rewindProblem(
  versions: readonly Record[],
  i: number,
  value: Uint8Array | undefined,
  to: bigint,
  safePoint: bigint,
): string | undefined {
  if (to <= safePoint) return undefined;
  const old = versions
    .slice(i + 1)
    .find(({ commitTs, write }) => commitTs <= to && isChange(write));
  const was = old?.write.type === "put" ? old.value : undefined;
  if (was === undefined && value === undefined) return undefined;
  if (was !== undefined && value !== undefined && equalBytes(was, value)) return undefined;
  return `it is taken back to ${to}, and does not hold what it held then`;
}

/** A record that changes nothing names the last one that does. */
function lastChangeProblem(
  versions: readonly Record[],
  i: number,
  { lastChange }: Write,
  safePoint: bigint,
): string | undefined {
  if (lastChange.type === "unknown") return undefined;
  if (lastChange.type === "at" && lastChange.commitTs <= safePoint) return undefined;
  const last = versions.slice(i + 1).find(({ write }) => isChange(write));
  if (lastChange.type === "at") {
    if (last?.commitTs === lastChange.commitTs) return undefined;
    return `the last change is said to be at ${lastChange.commitTs}, not at ${last?.commitTs}`;
  }
  if (last === undefined || last.write.type === "delete") return undefined;
  return `no data is said to be there, although there is some at ${last.commitTs}`;
}

/** A fence is a later change. */
function fenceProblem(
  versions: readonly Record[],
  i: number,
  { gcFence }: Write,
  safePoint: bigint,
): string | undefined {
  if (gcFence === undefined || gcFence <= safePoint) return undefined;
  const there = versions.slice(0, i).some(({ commitTs }) => commitTs === gcFence);
  return there ? undefined : `the fence ${gcFence} is no version`;
}

function judgeAuthor(author: Author, fates: Fates): string | undefined {
  const { startTs, writes, told } = author;
  const committed = fates.committed.get(startTs);
  if (committed === undefined) {
    if (told.type !== "committed") return undefined;
    const missed = [...writes.keys()].some((key) => !isGarbage(author, key, told.commitTs, fates));
    return missed ? "was acknowledged, and is nowhere" : undefined;
  }
  if (told.type === "refused") return `was refused (${told.reason}), and is committed`;
  const [[first, at] = []] = committed;
  for (const key of writes.keys()) {
    const commitTs = committed.get(key);
    // Who asks late what became of it, where its commit has been collected, is told that it was
    // rolled back, and leaves a record of that. It binds nobody: no lock of it is left anywhere.
    if (commitTs === undefined && isGarbage(author, key, at ?? 0n, fates)) continue;
    if (commitTs === undefined && isRewound(author, key, at ?? 0n, fates)) continue;
    if (fates.rolledBack.get(startTs)?.has(key) === true) {
      return `is committed on ${text(first)}, and rolled back on ${text(key)}`;
    }
    if (commitTs === undefined) return `is committed on ${text(first)}, and not on ${text(key)}`;
    if (commitTs !== at) {
      return `is committed at ${at} on ${text(first)}, and at ${commitTs} on ${text(key)}`;
    }
  }
  if (told.type === "committed" && told.commitTs !== at) {
    return `was acknowledged at ${told.commitTs}, and is committed at ${at}`;
  }
  return undefined;
}

/** Whether a flashback has taken `key` back behind the commit, and its lock with it. */
const isRewound = ({ startTs }: Author, key: Key, commitTs: bigint, { rewinds }: Fates): boolean =>
  rewinds.some(
    (one) =>
      one.startTs > startTs &&
      one.rewinds !== undefined &&
      one.rewinds.to < commitTs &&
      key >= one.rewinds.start &&
      key < one.rewinds.end,
  );

/** Whether what the transaction did to `key` at `commitTs` may have been collected. */
function isGarbage(author: Author, key: Key, commitTs: bigint, fates: Fates): boolean {
  if (commitTs > fates.safePoint) return false;
  if (author.writes.get(key)?.type !== "put" || fates.deleted.has(key)) return true;
  return (fates.newest.get(key) ?? 0n) > commitTs;
}

/** Printable keys as they are. */
const text = (key: Key | undefined): string =>
  key === undefined ? "none" : /^[ -~]*$/.test(key) ? key : hex(key);
