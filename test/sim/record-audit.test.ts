import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import { Timestamp } from "../../engine/base/timestamp.ts";
import { NO_CHANGE, UNKNOWN_CHANGE } from "../../engine/mvcc/record/last-change.ts";
import { rollbackWrite, type Write, type WriteType } from "../../engine/mvcc/record/write.ts";
import type { Author, Authors, Intent } from "../../sim/checkers/authors.ts";
import type { KeyRecords, Record } from "../../sim/checkers/records.ts";
import { judgeRecords } from "../../sim/checkers/record-audit.ts";
import { suite } from "../harness.ts";

const test = suite("sim/checkers/record-audit");

const VALUE = Uint8Array.of(1);

function author(startTs: bigint, told: Author["told"], keys: string, type: Intent["type"]): Author {
  const writes = new Map(Array.from(keys, (key) => [key as Key, { type, value: VALUE }]));
  return { startTs, client: "client1", writes, told };
}

const acknowledged = (commitTs: bigint): Author["told"] => ({ type: "committed", commitTs });
const NOTHING = { type: "nothing" } as const;

/** Two transactions on "a" and "b": 1, committed at 3, and 5, of which nobody was told. */
function authorsOf(...others: readonly Author[]): Authors {
  const all = [author(1n, acknowledged(3n), "ab", "put"), author(5n, NOTHING, "ab", "put")];
  return new Map([...all, ...others].map((one) => [one.startTs, one]));
}

function record(commitTs: bigint, startTs: bigint, change: Partial<Write> = {}): Record {
  const type: WriteType = change.type ?? "put";
  const write: Write = {
    type,
    startTs: Timestamp(startTs),
    shortValue: type === "put" ? VALUE : undefined,
    overlappedRollback: false,
    gcFence: undefined,
    lastChange: UNKNOWN_CHANGE,
    txnSource: 0n,
    ...change,
  };
  return { commitTs, write, value: write.shortValue };
}

const rollback = (at: bigint): Record => {
  const write = rollbackWrite(Timestamp(at), true);
  return { commitTs: at, write, value: undefined };
};

const stored = (key: string, ...versions: readonly Record[]): KeyRecords => ({
  key: key as Key,
  versions,
  lockedBy: undefined,
  values: [],
});

const whole = [stored("a", record(3n, 1n)), stored("b", record(3n, 1n))];

test("what was acknowledged, and what nobody was told of, may be there as a whole", () => {
  assert.is(judgeRecords(authorsOf(), whole), undefined);
  const both = ["a", "b"].map((key) => stored(key, record(8n, 5n), record(3n, 1n)));
  assert.is(judgeRecords(authorsOf(), both), undefined);
  const rolledBack = ["a", "b"].map((key) => stored(key, rollback(5n), record(3n, 1n)));
  assert.is(judgeRecords(authorsOf(), rolledBack), undefined);
});

test("only what nobody misses after the safe point may be gone", () => {
  const deleter = author(6n, acknowledged(7n), "b", "delete");
  const authors = authorsOf(deleter);
  const left = [stored("a", record(8n, 5n)), stored("b", record(8n, 5n))];
  assert.is(judgeRecords(authors, left, 7n), undefined);
  assert.is(
    judgeRecords(authors, [stored("a", record(8n, 5n)), stored("b", record(8n, 5n))], 8n),
    undefined,
  );
  const above = judgeRecords(authors, left, 6n) ?? "";
  assert.match(above, /6 of client1 was acknowledged, and is nowhere/);
  // The newest put at the safe point stays, unless somebody has deleted it.
  const bare = judgeRecords(authorsOf(), [], 9n) ?? "";
  assert.match(bare, /1 of client1 was acknowledged, and is nowhere/);
});

test("a late rollback counts unless it stands where a commit may have been collected", () => {
  const left = [
    stored("a", record(8n, 5n), rollback(1n)),
    stored("b", record(8n, 5n), record(3n, 1n)),
  ];
  assert.is(judgeRecords(authorsOf(), left, 8n), undefined);
  assert.match(judgeRecords(authorsOf(), left, 2n) ?? "", /committed on b, and rolled back on a/);
});

test("a flashback writes what was there, and what it rolls back need not be whole", () => {
  const rewinds = { to: 4n, start: "a" as Key, end: "b" as Key };
  const rewinder: Author = { ...author(7n, NOTHING, "", "put"), rewinds };
  const b = stored("b", record(6n, 5n), record(3n, 1n));
  const a = stored("a", record(8n, 7n), rollback(5n), record(3n, 1n));
  assert.is(judgeRecords(authorsOf(rewinder), [a, b]), undefined);
  const gone = stored("a", record(8n, 7n, { type: "delete" }), record(3n, 1n));
  assert.match(
    judgeRecords(authorsOf(rewinder), [gone, stored("b", record(3n, 1n))]) ?? "",
    /at 8 it is taken back to 4, and does not hold what it held then/,
  );
  const elsewhere = stored("b", rollback(5n), record(3n, 1n));
  const torn = [stored("a", record(6n, 5n), record(3n, 1n)), elsewhere];
  assert.match(judgeRecords(authorsOf(rewinder), torn) ?? "", /committed on a, and rolled back/);
});

test("each broken rule is told in words", () => {
  const b = stored("b", record(3n, 1n));
  const deleted = author(6n, NOTHING, "a", "delete");
  const locker = author(7n, NOTHING, "a", "lock");
  const refused = author(9n, { type: "refused", reason: "conflict" }, "a", "put");
  const lastChange = { type: "at", commitTs: Timestamp(2n), versions: 1 } as const;
  const other = Uint8Array.of(2);
  const cases: readonly (readonly [string, Authors, readonly KeyRecords[]])[] = [
    ["was acknowledged, and is nowhere", authorsOf(), []],
    ["committed on a, and not on b", authorsOf(), [stored("a", record(3n, 1n))]],
    ["at 3 on a, and at 4 on b", authorsOf(), [whole[0]!, stored("b", record(4n, 1n))]],
    [
      "acknowledged at 3, and is committed at 4",
      authorsOf(),
      ["a", "b"].map((key) => stored(key, record(4n, 1n))),
    ],
    [
      "was refused (conflict), and is committed",
      authorsOf(refused),
      [stored("a", record(12n, 9n), record(3n, 1n)), b],
    ],
    [
      "rolled back on b",
      authorsOf(),
      [stored("a", record(8n, 5n), record(3n, 1n)), stored("b", rollback(5n), record(3n, 1n))],
    ],
    ["both committed and rolled back", authorsOf(), [stored("a", record(3n, 1n), rollback(1n)), b]],
    [
      "both committed and rolled back",
      authorsOf(),
      [stored("a", record(8n, 5n), record(5n, 1n, { overlappedRollback: true })), b],
    ],
    [
      "4 is committed, which never wrote here",
      authorsOf(),
      [stored("a", record(8n, 4n), record(3n, 1n)), b],
    ],
    [
      "1 is committed, and at 3 again",
      authorsOf(),
      [stored("a", record(4n, 1n), record(3n, 1n)), b],
    ],
    [
      "5 is committed, which began later",
      authorsOf(),
      [stored("a", record(5n, 5n), record(3n, 1n)), b],
    ],
    ["1 is rolled back", authorsOf(), [stored("a", record(4n, 1n, { type: "rollback" })), b]],
    ["did not put the value", authorsOf(), [stored("a", record(3n, 1n, { shortValue: other })), b]],
    [
      "6 did a put, and meant a delete",
      authorsOf(deleted),
      [stored("a", record(8n, 6n), record(3n, 1n)), b],
    ],
    [
      "said to be at 2, not at 3",
      authorsOf(locker),
      [stored("a", record(9n, 7n, { type: "lock", lastChange }), record(3n, 1n)), b],
    ],
    [
      "no data is said to be there",
      authorsOf(locker),
      [stored("a", record(9n, 7n, { type: "lock", lastChange: NO_CHANGE }), record(3n, 1n)), b],
    ],
    [
      "the fence 6 is no version",
      authorsOf(),
      [stored("a", record(3n, 1n, { gcFence: Timestamp(6n) })), b],
    ],
    ["1 holds a lock, and is over", authorsOf(), [{ ...whole[0]!, lockedBy: 1n }, b]],
    [
      "5 holds a lock, and is over",
      authorsOf(),
      [{ ...stored("a", rollback(5n), record(3n, 1n)), lockedBy: 5n }, b],
    ],
    [
      "the value of 4 belongs to no version",
      authorsOf(),
      [{ ...whole[0]!, values: [{ startTs: 4n, needed: false }] }, b],
    ],
  ];
  for (const [sentence, authors, keys] of cases) {
    const told = judgeRecords(authors, keys) ?? "nothing";
    assert.ok(told.includes(sentence), `"${sentence}" in "${told}"`);
  }
});

test.run();
