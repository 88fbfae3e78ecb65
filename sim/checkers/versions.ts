/**
 * The audit of all versions at the end: each write of a transaction that happened is there once,
 * with one commit timestamp for all its keys; nothing is there that did not happen, or without an
 * author. What became of transactions of unknown outcome follows from that.
 */
import type { Access, Transaction } from "./transactions/history.ts";

/** One version as the store keeps it. */
export interface StoredVersion {
  readonly key: string;
  readonly type: "put" | "delete" | "lock";
  readonly startTs: bigint;
  readonly commitTs: bigint;
  /** What its value says; empty where it has none. */
  readonly numbers: readonly number[];
}

export type Audited<T> =
  | { readonly ok: true; readonly history: readonly T[] }
  | { readonly ok: false; readonly problem: string };

/** The history with every outcome known, or what is wrong with the versions. */
export function auditVersions<T extends Transaction>(
  history: readonly T[],
  versions: readonly StoredVersion[],
): Audited<T> {
  const authors = new Map<bigint, T>();
  for (const one of history) {
    // Others may read at the very timestamp at which somebody began.
    const leaves = one.accesses.some((access) => access.type !== "read" || access.locking);
    if (one.startTs !== undefined && (leaves || !authors.has(one.startTs))) {
      authors.set(one.startTs, one);
    }
  }
  const commits = new Map<T, Map<string, StoredVersion>>();
  for (const version of versions) {
    const author = authors.get(version.startTs);
    const problem = wrongVersion(version, author, author && commits.get(author));
    if (problem !== undefined || author === undefined) return { ok: false, problem: problem ?? "" };
    commits.set(author, (commits.get(author) ?? new Map()).set(version.key, version));
  }
  const resolved: T[] = [];
  for (const one of history) {
    const stored = commits.get(one);
    const problem = wrongTransaction(one, stored);
    if (problem !== undefined) return { ok: false, problem };
    resolved.push(one.outcome === "unknown" ? resolve(one, stored) : one);
  }
  return { ok: true, history: resolved };
}

function wrongVersion(
  version: StoredVersion,
  author: Transaction | undefined,
  others: ReadonlyMap<string, StoredVersion> | undefined,
): string | undefined {
  const { key, type, startTs, commitTs, numbers } = version;
  const what = `a ${type} of ${key} begun at ${startTs} and committed at ${commitTs}`;
  if (author === undefined) return `${what} has no author`;
  const who = `${what} is of ${author.name}`;
  if (author.outcome === "fail") return `${who}, which was told that it failed`;
  if (author.commitTs !== undefined && author.commitTs !== commitTs) {
    return `${who}, which was told ${author.commitTs}`;
  }
  const last = lastWrite(author, key);
  if (type === "lock") {
    const locks = author.accesses.some((one) => one.key === key && isLock(one));
    if (last !== undefined || !locks) return `${who}, which did not only lock it`;
  } else if (type === "delete" ? last?.type !== "remove" : !isPutOf(last, numbers)) {
    return `${who}, which wrote something else`;
  }
  if (others?.has(key) === true) return `${who}, as is another one`;
  for (const other of others?.values() ?? []) {
    if (other.commitTs !== commitTs) return `${who}, which committed ${other.key} elsewhere`;
  }
  return undefined;
}

const isLock = (access: Access): boolean => access.type === "read" && access.locking;

const isPutOf = (write: Access | undefined, numbers: readonly number[]): boolean =>
  (write?.type === "write" || write?.type === "append") && numbers.includes(write.value);

const lastWrite = ({ accesses }: Transaction, key: string): Access | undefined =>
  accesses.findLast((one) => one.key === key && one.type !== "read");

/** All writes of a transaction are there, or none is. */
function wrongTransaction(
  one: Transaction,
  stored: ReadonlyMap<string, StoredVersion> | undefined,
): string | undefined {
  if (one.outcome === "fail" || (one.outcome === "unknown" && stored === undefined)) {
    return undefined;
  }
  for (const { type, key } of one.accesses) {
    if (type === "read" || stored?.has(key) === true) continue;
    const also =
      stored === undefined ? "" : `, though ${[...stored.keys()].join(" and ")} is there`;
    return `the write of ${key} by ${one.name} (${one.outcome}) is not there${also}`;
  }
  return undefined;
}

function resolve<T extends Transaction>(
  one: T,
  stored: ReadonlyMap<string, StoredVersion> | undefined,
): T {
  const [version] = stored?.values() ?? [];
  return version === undefined
    ? { ...one, outcome: "fail", end: Infinity }
    : { ...one, outcome: "ok", end: Infinity, commitTs: version.commitTs };
}
