/**
 * What must hold once every lock has been resolved, by the numbers of the list of invariants of
 * Percolator and of the protocols on top of it.
 */
import type { Key } from "../../../engine/base/bytes.ts";
import { Timestamp } from "../../../engine/base/timestamp.ts";
import { fateOf } from "../../../engine/mvcc/key/fate.ts";
import { encodeKey, versionKey, versionsOf } from "../../../engine/mvcc/keys.ts";
import { readKey } from "../../../engine/mvcc/read/point.ts";
import { snapshotOf } from "../../../engine/mvcc/read/snapshot.ts";
import type { Version } from "../../../engine/mvcc/read/versions.ts";
import { textOf } from "../words.ts";
import { valueOf } from "./client.ts";
import type { Transaction } from "./types.ts";
import { KEYS, type World } from "./world.ts";

/** Every sentence that does not hold. */
export function* violationsOf(world: World): Iterable<string> {
  yield* world.violations;
  for (const key of KEYS) yield* ofKey(world, key);
  for (const txn of world.transactions) yield* ofTransaction(world, txn);
  yield* ofStatuses(world);
  yield* ofReads(world);
}

function versionsOfKey(world: World, key: Key): readonly Version[] {
  const versions = world.reader(key).versions(encodeKey(key));
  const all: Version[] = [];
  for (let v = versions.newest(); v !== undefined; v = versions.older()) all.push(v);
  return all;
}

/** 2: one record a transaction; 3: commits follow starts; 4: every put has its value. */
function* ofKey(world: World, key: Key): Iterable<string> {
  const reader = world.reader(key);
  const authors = new Set<bigint>();
  const values = new Set<Key>();
  for (const { commitTs, write } of versionsOfKey(world, key)) {
    if (write.type === "rollback") continue;
    if (authors.has(write.startTs)) yield `2: ${write.startTs} has committed ${key} twice`;
    authors.add(write.startTs);
    const author = world.transactions.find(({ startTs }) => startTs === write.startTs);
    if (author?.plan.writes.has(key) !== true) yield `2: ${write.startTs} never wrote ${key}`;
    if (commitTs <= write.startTs) yield `3: ${write.startTs} has committed ${key} at ${commitTs}`;
    if (write.type !== "put" || write.shortValue !== undefined) continue;
    values.add(versionKey(encodeKey(key), write.startTs));
    reader.value(encodeKey(key), write);
  }
  if (reader.damage !== undefined) yield `4: ${key}: ${reader.damage.reason}`;
  const cursor = reader.view.cursor("default", versionsOf(encodeKey(key)));
  for (cursor.seek(encodeKey(key)); cursor.valid; cursor.next()) {
    if (!values.has(cursor.key)) yield `4: a value of ${key} belongs to nobody`;
  }
}

/** When the transaction committed, by its primary key; undefined if it did not. */
function commitOf(world: World, txn: Transaction, key: Key): bigint | undefined {
  const fate = fateOf(world.reader(key), encodeKey(key), Timestamp(txn.startTs));
  return fate.type === "committed" ? fate.commitTs : undefined;
}

const primaryCommit = (world: World, txn: Transaction): bigint | undefined =>
  commitOf(world, txn, [...txn.plan.writes.keys()][0]!);

/** 1: all or nothing; 3: in the order of real time; 7, 8: nothing is overwritten unseen; 14. */
function* ofTransaction(world: World, txn: Transaction): Iterable<string> {
  const { startTs, verdict } = txn;
  const commitTs = primaryCommit(world, txn);
  for (const key of txn.plan.writes.keys()) {
    const here = commitOf(world, txn, key);
    if (here !== commitTs) yield `1: ${startTs} committed ${key} at ${here}, others at ${commitTs}`;
  }
  if (verdict === "aborted" && commitTs !== undefined) {
    yield `14: ${startTs} committed at ${commitTs}, its user was told that it did not`;
  }
  if (verdict === "committed" && commitTs !== txn.commitTs) {
    yield `14: ${startTs} did not commit at ${txn.commitTs} as told, but ${commitTs}`;
  }
  if (commitTs === undefined) return;
  if (commitTs < txn.after) yield `3: ${startTs} committed at ${commitTs}, below ${txn.after}`;
  for (const key of txn.plan.writes.keys()) {
    const isPessimistic = txn.plan.locks !== undefined;
    const since = isPessimistic ? (txn.lockedAt.get(key) ?? txn.forUpdateTs) : startTs;
    for (const { commitTs: other, write } of versionsOfKey(world, key)) {
      const isChange = write.type === "put" || write.type === "delete";
      if (isChange && other > since && other < commitTs) {
        yield `8: ${startTs} at ${commitTs} overwrote ${key} at ${other}, which it never saw`;
      }
    }
  }
}

/** 6: what was said about a transaction stays true. */
function* ofStatuses(world: World): Iterable<string> {
  for (const { startTs, commitTs } of world.statuses) {
    const txn = world.transactions.find((candidate) => candidate.startTs === startTs);
    if (txn === undefined) continue;
    const actual = primaryCommit(world, txn) ?? 0n;
    if (actual !== commitTs) yield `6: ${startTs}: told ${commitTs}, in the end ${actual}`;
  }
}

/** 5: what was read is what a serial execution in the order of commits gives. */
function* ofReads(world: World): Iterable<string> {
  const committed = world.transactions
    .map((txn) => ({ txn, commitTs: primaryCommit(world, txn) }))
    .filter((one): one is { txn: Transaction; commitTs: bigint } => one.commitTs !== undefined)
    .sort((a, b) => (a.commitTs < b.commitTs ? -1 : 1));
  const serial = (key: Key, readTs: bigint): string | undefined => {
    let value: string | undefined;
    for (const { txn, commitTs } of committed) {
      const kind = txn.plan.writes.get(key);
      if (commitTs > readTs || kind === undefined || kind === "lock") continue;
      value = kind === "delete" ? undefined : shown(valueOf(txn.startTs, kind));
    }
    return value;
  };
  for (const { key, readTs, value } of world.reads) {
    const expected = serial(key, readTs);
    if (value !== expected) yield `5: ${key} at ${readTs} was ${value}, should be ${expected}`;
  }
  const last = world.tso();
  for (const key of KEYS) {
    for (const readTs of [last, last / 2n]) {
      const options = { keyOnly: false, needCommitTs: false };
      const found = readKey(world.reader(key), snapshotOf(undefined, readTs), key, options);
      const value = found.ok && found.value !== undefined ? textOf(found.value.value) : undefined;
      const expected = serial(key, readTs);
      if (value !== expected) yield `5: ${key} at ${readTs} is ${value}, should be ${expected}`;
    }
  }
}

const shown = (value: string): string => textOf(Uint8Array.from(value, (c) => c.charCodeAt(0)));
