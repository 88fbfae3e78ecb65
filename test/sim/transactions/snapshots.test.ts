import * as assert from "uvu/assert";
import type { Transaction } from "../../../sim/checkers/transactions/history.ts";
import { checkSnapshots } from "../../../sim/checkers/transactions/snapshots.ts";
import { suite } from "../../harness.ts";
import { append, locked, namesByTimestamps as names, read, remove, txn, write } from "./words.ts";

const test = suite("sim/checkers/transactions/snapshots");

const ts = (start: number, commit: number | undefined, one: Transaction): Transaction => ({
  ...one,
  startTs: BigInt(start),
  commitTs: commit === undefined ? undefined : BigInt(commit),
});
const pessimistic = (one: Transaction): Transaction => ({ ...one, pessimistic: true });

test("a read is of the newest version at or below the start", () => {
  const [one, two] = [ts(1, 5, txn("T1", write("x", 1))), ts(6, 9, txn("T2", write("x", 2)))];
  const reader = (start: number, value: number[]): Transaction =>
    ts(start, undefined, txn("R", read("x", ...value)));
  assert.equal(names(one, two, reader(4, [])), []);
  assert.equal(names(one, two, reader(5, [1])), []);
  assert.equal(names(one, two, reader(8, [1])), []);
  assert.equal(names(one, two, reader(9, [2])), []);
  assert.equal(names(one, two, reader(9, [1])), ["wrong version"]);
  assert.equal(names(one, two, reader(8, [2])), ["wrong version"]);
});

test("reads go through own writes", () => {
  const before = ts(1, 2, txn("T1", append("x", 1)));
  const own = (...seen: number[]): Transaction =>
    ts(3, 4, txn("T2", append("x", 2), read("x", ...seen)));
  assert.equal(names(before, own(1, 2)), []);
  assert.equal(names(before, own(2)), ["wrong version"]);
});

test("what is removed is there until then, and not from then on", () => {
  const [one, two] = [ts(1, 2, txn("T1", write("x", 1))), ts(3, 5, txn("T2", remove("x", 2)))];
  const reader = (start: number, ...seen: number[]): Transaction =>
    ts(start, undefined, txn("R", read("x", ...seen)));
  assert.equal(names(one, two, reader(4, 1), reader(5)), []);
  assert.equal(names(one, two, reader(5, 1)), ["wrong version"]);
  assert.equal(names(one, two, reader(4)), ["wrong version"]);
});

test("a locked read is of the newest version below the commit", () => {
  const other = ts(1, 5, txn("T1", write("x", 1)));
  const reader = (...seen: number[]): Transaction =>
    pessimistic(ts(2, 9, txn("T2", locked("x", ...seen), write("x", 2))));
  assert.equal(names(other, reader(1)), []);
  assert.equal(names(other, reader()), ["wrong version"]);
});

test("nobody commits what an optimistic transaction holds", () => {
  const other = ts(1, 5, txn("T1", write("x", 1)));
  assert.equal(names(other, ts(2, 6, txn("T2", write("x", 2)))), ["concurrent writes"]);
  assert.equal(names(other, ts(5, 6, txn("T2", write("x", 2)))), []);
  assert.equal(names(other, ts(2, 4, txn("T2", write("x", 2)))), ["concurrent writes"]);
  assert.equal(names(other, ts(2, 6, txn("T2", locked("x"), write("y", 2)))), [
    "concurrent writes",
  ]);
  assert.equal(names(other, ts(2, 6, txn("T2", read("x"), write("y", 2)))), []);
  const lock = ts(1, 5, txn("T1", locked("x"), write("z", 1)));
  assert.equal(names(lock, ts(2, 6, txn("T2", locked("x"), write("y", 2)))), []);
});

test("an optimistic write may not overlap with the lock of a pessimistic one", () => {
  const other = pessimistic(ts(1, 5, txn("T1", locked("x"), write("y", 1))));
  assert.equal(names(other, ts(2, 6, txn("T2", write("x", 2)))), ["concurrent writes"]);
});

test("one key has one version for each timestamp, two keys may share it", () => {
  const [one, two] = [
    pessimistic(ts(1, 5, txn("T1", write("x", 1)))),
    pessimistic(ts(2, 5, txn("T2", write("x", 2)))),
  ];
  assert.equal(names(one, two), ["timestamps"]);
  assert.equal(names(one, ts(2, 5, txn("T2", write("y", 2)))), []);
});

test("timestamps tell of what happened, and nothing else", () => {
  const failed = { ...ts(1, 5, txn("T1", write("x", 1))), outcome: "fail" as const };
  assert.equal(names(failed), ["timestamps"]);
  assert.equal(names(ts(1, undefined, txn("T1", write("x", 1)))), ["timestamps"]);
  assert.equal(names(ts(5, 5, txn("T1", write("x", 1)))), ["timestamps"]);
  const [one, two] = [
    ts(1, undefined, txn("T1", read("x"))),
    ts(1, undefined, txn("T2", read("x"))),
  ];
  assert.equal(names(one, two), ["timestamps"]);
});

test("a locked read of what did not commit shows some version, of whatever instant", () => {
  const history = [ts(1, 5, txn("T1", append("x", 1))), ts(6, 9, txn("T2", append("x", 2)))];
  const failed = (...seen: number[]): Transaction => ({
    ...ts(2, undefined, txn("T3", locked("x", ...seen))),
    pessimistic: true,
    outcome: "fail",
  });
  for (const seen of [[], [1], [1, 2]]) assert.equal(names(...history, failed(...seen)), []);
  for (const seen of [[2], [1, 3]]) {
    assert.equal(names(...history, failed(...seen)), ["wrong version"]);
  }
});

test("timestamps go with real time", () => {
  const first = { ...ts(5, 9, txn("T1", write("x", 1))), begin: 0, end: 10 };
  const later = (start: number): Transaction => ({
    ...ts(start, undefined, txn("T2", read("y"))),
    begin: 20,
    end: 30,
  });
  assert.equal(names(first, later(9)), []);
  assert.equal(names(first, later(8)), ["timestamps"]);
  assert.equal(names(first, { ...later(8), stale: true }), []);
  const reader = { ...ts(5, undefined, txn("T1", read("x"))), begin: 0, end: 10 };
  assert.equal(names(reader, later(4)), ["timestamps"]);
});

test("commit timestamps go with real time from the moment that the commit was asked for", () => {
  const first = { ...ts(5, 9, txn("T1", write("x", 1))), begin: 0, end: 10 };
  const later = (asked: number, commit: number): Transaction => ({
    ...ts(4, commit, txn("T2", write("y", 2))),
    begin: 5,
    end: 30,
    asked,
  });
  assert.equal(names(first, later(8, 7)), []);
  assert.equal(names(first, later(20, 9)), []);
  assert.equal(names(first, later(20, 8)), ["timestamps"]);
  const reader = { ...ts(9, undefined, txn("T1", read("x"))), begin: 0, end: 10 };
  assert.equal(names(reader, later(20, 9)), ["timestamps"]);
  assert.equal(names(reader, later(20, 10)), []);
});

test("the story names the version that ought to have been seen, and its author", () => {
  const history = [ts(1, 5, txn("T1", write("x", 1))), ts(7, undefined, txn("T2", read("x")))];
  assert.is(
    checkSnapshots(history)[0]?.text,
    "T2 reads x: nothing, but it starts at 7, where x holds [1], which T1 committed at 5",
  );
});

test.run();
