import * as assert from "uvu/assert";
import {
  checkCommittedReads,
  type CommittedLook,
} from "../../../sim/checkers/transactions/committed-reads.ts";
import type { Read, Transaction } from "../../../sim/checkers/transactions/history.ts";
import { suite } from "../../harness.ts";
import { append, read, remove, txn, write } from "./words.ts";

const test = suite("sim/checkers/transactions/committed-reads");

const at = (
  start: number,
  commit: number | undefined,
  one: Transaction,
  end = 10,
): Transaction => ({
  ...one,
  startTs: BigInt(start),
  commitTs: commit === undefined ? undefined : BigInt(commit),
  end,
});
const look = (timestamp: number, key: string, ...seen: number[]): CommittedLook => ({
  name: "L",
  begin: 20,
  end: 30,
  timestamp: BigInt(timestamp),
  reads: [read(key, ...seen) as Read],
});
const texts = (history: readonly Transaction[], ...looks: CommittedLook[]): readonly string[] =>
  checkCommittedReads(history, looks).map(({ text }) => text);

const history = [at(1, 5, txn("T1", append("x", 1))), at(6, 9, txn("T2", append("x", 2)))];

test("what is committed may be missed as long as nobody has seen it", () => {
  assert.equal(texts(history, look(10, "x", 1, 2), look(10, "x", 1), look(10, "x")), []);
});

test("nobody sees what is not committed, what was never there, or what is committed later", () => {
  const failed = at(6, undefined, { ...txn("T3", append("x", 3)), outcome: "fail" });
  assert.equal(texts([...history, failed], look(10, "x", 1, 2, 3)), [
    "L reads x: [1 2 3] at 10, which it never held",
  ]);
  assert.equal(texts(history, look(10, "x", 2)), ["L reads x: [2] at 10, which it never held"]);
  assert.equal(texts(history, look(8, "x", 1, 2)), [
    "L reads x: [1 2] at 8, but that was committed at 9",
  ]);
});

test("nobody sees less than somebody had seen before it asked", () => {
  const reader = at(10, undefined, txn("R", read("x", 1, 2)), 15);
  assert.equal(texts([...history, reader], look(11, "x", 1)), [
    "L reads x: [1] at 11, though R had seen a later version before",
  ]);
  assert.equal(texts([...history, reader], look(11, "x")), [
    "L reads x: nothing at 11, though R had seen something there before",
  ]);
  assert.equal(texts([...history, { ...reader, end: 25 }], look(11, "x", 1)), []);
  const earlier = { ...look(10, "x", 1, 2), name: "E", begin: 11, end: 12 };
  assert.equal(texts(history, earlier, look(11, "x", 1)), [
    "L reads x: [1] at 11, though E had seen a later version before",
  ]);
});

test("what a transaction sees of its own is no version yet; what is removed may be gone", () => {
  const own = at(6, 9, txn("T2", append("x", 2), read("x", 1, 2)));
  assert.equal(texts([history[0] as Transaction, own], look(10, "x", 1)), []);
  const removed = [
    at(1, 5, txn("T1", write("r", 1))),
    at(6, undefined, txn("R", read("r", 1))),
    at(7, 9, txn("T2", remove("r", 2))),
  ];
  assert.equal(texts(removed, look(10, "r")), []);
});

test.run();
