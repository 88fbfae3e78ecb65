import * as assert from "uvu/assert";
import type { Transaction } from "../../../sim/checkers/transactions/history.ts";
import { auditVersions, type StoredVersion } from "../../../sim/checkers/versions.ts";
import { suite } from "../../harness.ts";
import { append, locked, read, remove, txn, write } from "./words.ts";

const test = suite("sim/checkers/versions");

const done = (one: Transaction, startTs: bigint, commitTs: bigint): Transaction => ({
  ...one,
  startTs,
  commitTs,
});
const unknown = (one: Transaction, startTs: bigint): Transaction => ({
  ...one,
  outcome: "unknown",
  end: Infinity,
  startTs,
});
const put = (
  key: string,
  startTs: bigint,
  commitTs: bigint,
  ...numbers: number[]
): StoredVersion => ({
  key,
  type: "put",
  startTs,
  commitTs,
  numbers,
});
const problem = (history: readonly Transaction[], ...versions: StoredVersion[]): string => {
  const audited = auditVersions(history, versions);
  return audited.ok ? "none" : audited.problem;
};

const both = done(txn("T1", write("x", 1), append("y", 2)), 1n, 5n);

test("every write that was acknowledged is there, once and as it was told", () => {
  const versions = [put("x", 1n, 5n, 1), put("y", 1n, 5n, 9, 2)];
  assert.is(problem([both], ...versions), "none");
  assert.is(
    problem([both], put("x", 1n, 5n, 1)),
    "the write of y by T1 (ok) is not there, though x is there",
  );
  assert.match(problem([both]), "the write of x by T1 (ok) is not there");
  assert.match(problem([both], ...versions, put("x", 1n, 5n, 1)), "as is another one");
  assert.match(problem([both], put("x", 1n, 6n, 1)), "which was told 5");
  assert.match(problem([both], put("x", 1n, 5n, 3)), "which wrote something else");
  assert.match(problem([both], put("z", 1n, 5n, 1)), "which wrote something else");
});

test("nothing is there that nobody wrote, or that was told to have failed", () => {
  assert.match(problem([both], put("x", 2n, 5n, 1)), "has no author");
  const failed: Transaction = { ...both, outcome: "fail", commitTs: undefined };
  assert.match(problem([failed], put("x", 1n, 5n, 1)), "which was told that it failed");
});

test("a lock's author is who locked, not who read at the timestamp at which that one began", () => {
  const reader: Transaction = { ...txn("T1", read("y", 7)), startTs: 1n };
  const locker = done(txn("T2", locked("y")), 1n, 5n);
  const lock: StoredVersion = { key: "y", type: "lock", startTs: 1n, commitTs: 5n, numbers: [] };
  assert.is(problem([reader, locker], lock), "none");
  assert.is(problem([locker, reader], lock), "none");
  assert.match(problem([reader], lock), "which did not only lock it");
});

test("removals and locks are versions too", () => {
  const one = done(txn("T1", remove("x", 1), locked("y")), 1n, 5n);
  const stored = (key: string, type: StoredVersion["type"]): StoredVersion => ({
    ...put(key, 1n, 5n),
    type,
  });
  assert.is(problem([one], stored("x", "delete"), stored("y", "lock")), "none");
  assert.match(problem([one], stored("x", "put")), "which wrote something else");
  assert.match(problem([one], stored("x", "delete"), stored("y", "delete")), "something else");
  assert.match(problem([one], stored("x", "lock")), "which did not only lock it");
});

test("what became of a transaction of unknown outcome is seen by its versions", () => {
  const one = unknown(txn("T1", write("x", 1), write("y", 2)), 1n);
  const outcome = (...versions: StoredVersion[]): unknown => {
    const audited = auditVersions([one], versions);
    return audited.ok
      ? [audited.history[0]?.outcome, audited.history[0]?.commitTs]
      : audited.problem;
  };
  assert.equal(outcome(), ["fail", undefined]);
  assert.equal(outcome(put("x", 1n, 5n, 1), put("y", 1n, 5n, 2)), ["ok", 5n]);
  assert.match(String(outcome(put("x", 1n, 5n, 1))), "the write of y by T1 (unknown) is not there");
  const torn = outcome(put("x", 1n, 5n, 1), put("y", 1n, 6n, 2));
  assert.match(String(torn), "which committed x elsewhere");
});

test.run();
