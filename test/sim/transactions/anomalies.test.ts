import * as assert from "uvu/assert";
import { checkIsolation } from "../../../sim/checkers/transactions/isolation.ts";
import { suite } from "../../harness.ts";
import {
  append,
  locked,
  names,
  read,
  remove,
  SERIALIZABLE,
  SESSIONS,
  SNAPSHOT,
  STRONG,
  txn,
  write,
} from "./words.ts";

const test = suite("sim/checkers/transactions/anomalies");

test("G0: two transactions write two keys in opposite orders", () => {
  const history = [
    txn("T1", append("x", 1), append("y", 1)),
    txn("T2", append("x", 2), append("y", 2)),
    txn("T3", read("x", 1, 2), read("y", 2, 1)),
  ];
  assert.equal(names(SNAPSHOT, ...history), ["G0"]);
});

test("G1a: a read of what did not happen", () => {
  const failed = { ...txn("T1", append("x", 1)), outcome: "fail" as const };
  assert.equal(names(SNAPSHOT, failed, txn("T2", read("x", 1))), ["G1a"]);
  const register = { ...txn("T1", write("x", 1)), outcome: "fail" as const };
  assert.equal(names(SNAPSHOT, register, txn("T2", read("x", 1))), ["G1a"]);
});

test("a write of unknown outcome that somebody read has happened; others have not", () => {
  const unknown = { ...txn("T1", append("x", 1)), outcome: "unknown" as const, end: Infinity };
  assert.equal(names(STRONG, unknown, txn("T2", read("x", 1))), []);
  assert.equal(names(STRONG, unknown, txn("T2", read("x"))), []);
});

test("dirty update: a write upon what did not happen", () => {
  const failed = { ...txn("T1", append("x", 1)), outcome: "fail" as const };
  const history = [failed, txn("T2", append("x", 2)), txn("T3", read("x", 1, 2))];
  assert.equal(names(SNAPSHOT, ...history), ["G1a", "dirty update"]);
});

test("G1b: a read of a write that its transaction went on from", () => {
  const lists = [txn("T1", append("x", 1), append("x", 2)), txn("T2", read("x", 1))];
  assert.equal(names(SNAPSHOT, ...lists, txn("T3", read("x", 1, 2))), ["G1b"]);
  const registers = [txn("T1", write("x", 1), write("x", 2)), txn("T2", read("x", 1))];
  assert.equal(names(SNAPSHOT, ...registers), ["G1b"]);
});

test("G1c: two transactions read each other's writes", () => {
  const lists = [txn("T1", append("x", 1), read("y", 1)), txn("T2", append("y", 1), read("x", 1))];
  assert.equal(names(SNAPSHOT, ...lists), ["G1c"]);
  const registers = [
    txn("T1", write("x", 1), read("y", 2)),
    txn("T2", write("y", 2), read("x", 1)),
  ];
  assert.equal(names(SNAPSHOT, ...registers), ["G1c"]);
});

test("G-single: one key before and another after the same transaction", () => {
  const history = [txn("T1", append("x", 1), append("y", 1)), txn("T2", read("x"), read("y", 1))];
  assert.equal(names(SNAPSHOT, ...history, txn("T3", read("x", 1))), ["G-single"]);
  const registers = [txn("T1", write("x", 1), write("y", 1)), txn("T2", read("x"), read("y", 1))];
  assert.equal(names(SNAPSHOT, ...registers), ["G-single"]);
});

test("what failed was promised a snapshot all the same", () => {
  const reader = { ...txn("T2", read("x"), read("y", 1)), outcome: "fail" as const };
  assert.equal(names(SNAPSHOT, txn("T1", write("x", 1), write("y", 1)), reader), ["G-single"]);
});

test("long fork: two readers saw two writes in opposite orders", () => {
  const history = [
    txn("T1", write("x", 1)),
    txn("T2", write("y", 2)),
    txn("T3", read("x", 1), read("y")),
    txn("T4", read("x"), read("y", 2)),
  ];
  assert.equal(names(SNAPSHOT, ...history), ["long fork"]);
});

test("G-nonadjacent: reads before writes, but none right after the other", () => {
  const history = [
    txn("T1", append("x", 1), append("z", 1)),
    txn("T2", append("y", 1), append("w", 1)),
    txn("T3", append("z", 2), read("y")),
    txn("T4", append("w", 2), read("x")),
    txn("T5", read("x", 1), read("z", 1, 2)),
    txn("T6", read("y", 1), read("w", 1, 2)),
  ];
  assert.equal(names(SNAPSHOT, ...history), ["G-nonadjacent"]);
});

test("lost update: both went on from the same version", () => {
  const lists = [
    txn("T1", read("x"), append("x", 1)),
    txn("T2", read("x"), append("x", 2)),
    txn("T3", read("x", 1, 2)),
  ];
  assert.equal(names(SNAPSHOT, ...lists), ["G-single", "lost update"]);
  const registers = [txn("T1", read("x"), write("x", 1)), txn("T2", read("x"), write("x", 2))];
  assert.equal(names(SNAPSHOT, ...registers), ["G2-item", "lost update"]);
});

test("G2-item: write skew is a matter of snapshots, unless the level or a lock forbids it", () => {
  const skew = [
    txn("T1", read("x"), read("y"), write("x", 1)),
    txn("T2", read("x"), read("y"), write("y", 2)),
  ];
  assert.equal(names(SNAPSHOT, ...skew), []);
  assert.equal(names(STRONG, ...skew), []);
  assert.equal(names(SERIALIZABLE, ...skew), ["G2-item"]);
  const locking = [
    txn("T1", locked("x"), locked("y"), write("x", 1)),
    txn("T2", locked("x"), locked("y"), write("y", 2)),
  ];
  assert.equal(names(SNAPSHOT, ...locking), ["G2-item"]);
});

test("a pessimistic transaction reads at its start and writes at its commit", () => {
  const other = txn("T2", read("x"), write("x", 2));
  const mixed = (...accesses: Parameters<typeof txn>[1][]) => ({
    ...txn("T1", ...accesses),
    pessimistic: true,
  });
  assert.equal(names(SNAPSHOT, other, mixed(read("x"), write("x", 1))), []);
  assert.equal(names(SNAPSHOT, other, mixed(read("x"), locked("x", 2), write("x", 1))), []);
  const lost = [other, mixed(locked("x"), write("x", 1))];
  assert.equal(names(SNAPSHOT, ...lost), ["G2-item", "lost update"]);
  const backwards = mixed(read("x", 2), locked("y"), write("z", 1));
  const later = txn("T3", write("y", 3), write("x", 2));
  assert.equal(names(SNAPSHOT, later, backwards), ["G-single"]);
});

test("internal: a transaction contradicts itself", () => {
  assert.equal(names(SNAPSHOT, txn("T1", append("x", 1), read("x"))), ["internal"]);
  assert.equal(names(SNAPSHOT, txn("T1", write("x", 1), read("x"))), ["internal"]);
  const twice = [txn("T1", write("x", 1)), txn("T2", read("x"), read("x", 1))];
  assert.equal(names(SNAPSHOT, ...twice), ["internal"]);
  const own = [txn("T1", append("x", 1)), txn("T2", read("x", 1), append("x", 2), read("x", 2))];
  assert.equal(names(SNAPSHOT, ...own), ["internal"]);
});

test("what a transaction saw under locks counts only if it happened", () => {
  const other = txn("T1", write("x", 1));
  const twice = { ...txn("T2", locked("x"), locked("x", 1)), pessimistic: true };
  assert.equal(names(SNAPSHOT, other, twice), ["internal"]);
  assert.equal(names(SNAPSHOT, other, { ...twice, outcome: "fail" }), []);
});

test("future read: a transaction sees what it has not written yet", () => {
  assert.equal(names(SNAPSHOT, txn("T1", read("x", 1), append("x", 1))), ["future read"]);
});

test("lists hold nothing twice, have one order, and authors", () => {
  const [one, two] = [txn("T1", append("x", 1)), txn("T2", append("x", 2))];
  assert.equal(names(SNAPSHOT, one, two, txn("T3", read("x", 1, 2, 1))), ["duplicate"]);
  const orders = [txn("T3", read("x", 1, 2)), txn("T4", read("x", 2, 1))];
  assert.equal(names(SNAPSHOT, one, two, ...orders), ["incompatible order"]);
  assert.equal(names(SNAPSHOT, one, two, txn("T3", read("x", 1, 9))), ["garbage read"]);
  assert.equal(names(SNAPSHOT, txn("T1", write("x", 1)), txn("T2", read("x", 9))), [
    "garbage read",
  ]);
});

test("cyclic versions: two transactions each overwrote the other", () => {
  const history = [txn("T1", read("x", 2), write("x", 1)), txn("T2", read("x", 1), write("x", 2))];
  assert.equal(names(SNAPSHOT, ...history), ["G1c", "cyclic versions"]);
});

test("a removed register is empty, for its remover and for who comes later", () => {
  const own = txn("T1", write("x", 1), remove("x", 2), read("x"));
  assert.equal(names(SNAPSHOT, own), []);
  const blind = txn("T1", write("x", 1), remove("x", 2), read("x", 1));
  assert.equal(names(SNAPSHOT, blind), ["internal"]);
  // Who finds nothing may be before the first write or after the removal.
  const others = [txn("T2", write("x", 3)), txn("T3", remove("x", 4)), txn("T4", read("x"))];
  assert.equal(names(STRONG, ...others), []);
});

const at = (begin: number, end: number, one: ReturnType<typeof txn>) => ({ ...one, begin, end });

test("real time: whoever begins afterwards sees what was acknowledged", () => {
  const stale = [at(0, 10, txn("T1", append("x", 1))), at(20, 30, txn("T2", read("x")))];
  const sure = at(40, 50, txn("T3", read("x", 1)));
  assert.equal(names(SNAPSHOT, ...stale, sure), []);
  assert.equal(names(STRONG, ...stale, sure), ["G-single-realtime"]);
  const [one, two] = stale;
  const told = two === undefined || one === undefined ? [] : [one, { ...two, stale: true }];
  assert.equal(names(STRONG, ...told, sure), []);
  const meeting = [at(0, 20, txn("T1", append("x", 1))), at(20, 30, txn("T2", read("x")))];
  assert.equal(names(STRONG, ...meeting, sure), []);
});

test("real time closes cycles of every kind", () => {
  const backwards = [at(0, 10, txn("T1", append("x", 1))), at(20, 30, txn("T2", append("x", 2)))];
  const seen = at(40, 50, txn("T3", read("x", 2, 1)));
  assert.equal(names(STRONG, ...backwards, seen), ["G0-realtime"]);
  const future = [at(0, 10, txn("T1", read("x", 1))), at(20, 30, txn("T2", append("x", 1)))];
  assert.equal(names(STRONG, ...future), ["G1c-realtime"]);
  const apart = [
    at(0, 10, txn("T1", append("x", 1))),
    at(20, 30, txn("T2", read("x"), read("y", 1))),
    at(0, 30, txn("T3", append("y", 1), read("z"))),
    at(0, 5, txn("T4", append("z", 1))),
    at(60, 70, txn("T5", read("x", 1), read("z", 1))),
  ];
  assert.equal(names(STRONG, ...apart), ["G-single-realtime"]);
});

test("registers: what was met first is not newer than what is met later", () => {
  const history = [
    at(0, 10, txn("T1", write("x", 1))),
    at(20, 30, txn("T2", write("x", 2))),
    at(40, 50, txn("T3", read("x", 1))),
  ];
  assert.equal(names(SNAPSHOT, ...history), []);
  assert.equal(names(STRONG, ...history), ["cyclic versions"]);
});

test("sessions: a client sees its own past, another one need not", () => {
  const first = at(0, 10, txn("T1", append("x", 1)));
  const second = { ...at(20, 30, txn("T2", read("x"))), client: first.client };
  const sure = at(40, 50, txn("T3", read("x", 1)));
  assert.equal(names(SESSIONS, first, second, sure), ["G-single-process"]);
  assert.equal(names(SESSIONS, first, { ...second, client: "another" }, sure), []);
});

test("the story of an anomaly tells who read what, and why that is in the way", () => {
  const history = [txn("T1", append("x", 1), append("y", 2)), txn("T2", read("x"), read("y", 2))];
  const [found] = checkIsolation([...history, txn("T3", read("x", 1))], SNAPSHOT);
  assert.is(found?.name, "G-single");
  const text = found?.text ?? "";
  for (const part of [
    "T1 of client of T1 (optimistic, from 0.000s until 0.001s, ok): appends 1 to x; appends 2 to y",
    "T2 is before T1: it found nothing in x, not yet 1",
    "T1 is before T2, which read y with 2 in it",
  ]) {
    assert.ok(text.includes(part), `${text}\nlacks: ${part}`);
  }
});

test.run();
