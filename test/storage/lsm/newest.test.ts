import fc from "fast-check";
import * as assert from "uvu/assert";
import { keyFromBytes } from "../../../engine/base/bytes.ts";
import type { Key } from "../../../engine/base/bytes.ts";
import { MAX_KEPT_KEY, newArena } from "../../../engine/storage/lsm/memtable/arena.ts";
import { MemtableEdit, emptyMemtable } from "../../../engine/storage/lsm/memtable/memtable.ts";
import { NONE, Newest, UNSURE } from "../../../engine/storage/lsm/memtable/newest.ts";
import { emptyVersion } from "../../../engine/storage/lsm/reading/stack.ts";
import type { Older } from "../../../engine/storage/lsm/reading/stack.ts";
import { stackView } from "../../../engine/storage/lsm/reading/view.ts";
import type { Memtable } from "../../../engine/storage/lsm/types.ts";
import { KeyHash } from "../../../engine/storage/table/filter.ts";
import { filterKeyLength } from "../../../engine/storage/view.ts";
import { suite } from "../../harness.ts";
import { MemoryTables } from "./memory-tables.ts";
import { valueOf } from "./stacks.ts";

const test = suite("index of newest versions");

const tables = new MemoryTables();
const NOTHING: Older = { layers: [], version: emptyVersion() };

const suffix = (n: number): Key => ("\0".repeat(7) + String.fromCharCode(n)) as Key;
const at = (user: string, n: number): Key => (user + suffix(n)) as Key;

/** Whether the index tells of `memtable`. */
const isTold = ({ newest, moment }: Memtable): boolean => newest.moment === moment;
const slotOf = ({ newest }: Memtable, user: string): number =>
  newest.find(user as Key, user.length);

/** Users' keys of which none begins another, as with encoded ones, and few versions. */
const USERS = ["a0", "a1", "b", "c".repeat(9), "d"];
const VERSIONS = 6;
const anyVersion = fc
  .tuple(fc.constantFrom(...USERS), fc.nat({ max: VERSIONS }))
  .map(([user, n]) => at(user, n));
const anyKey = fc.oneof(
  { weight: 9, arbitrary: anyVersion },
  { weight: 1, arbitrary: fc.constantFrom("d" as Key, "e" as Key) },
);
const anyChange = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("put" as const), key: anyKey }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("delete" as const), key: anyKey }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(anyKey, anyKey)
      .map(([a, b]) => ({ type: "range" as const, key: a < b ? a : b, end: a < b ? b : a })),
  },
);
/** Changes of one memtable that has come about so far, which are made or given up. */
const anyEdit = fc.record({
  changes: fc.array(anyChange, { maxLength: 6 }),
  /** Mostly of the last one. */
  back: fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.nat({ max: 3 }) },
  ),
  isGivenUp: fc.boolean(),
});

/** What the index says and what the tree says, of every key and version. */
function assertSame(memtable: Memtable, older: Older): void {
  const indexed = stackView({ memtable, ...older }, tables);
  const plain = stackView({ memtable: { ...memtable, moment: Number.NaN }, ...older }, tables);
  for (const user of [...USERS, "e"]) {
    for (let n = 0; n <= VERSIONS + 1; n++) {
      const rest = suffix(n);
      for (const settles of [undefined, (): boolean => true]) {
        const told = indexed.first("write", user as Key, rest, settles);
        assert.equal(told, plain.first("write", user as Key, rest, settles), user + n);
      }
      assert.equal(indexed.get("write", at(user, n)), plain.get("write", at(user, n)), user + n);
    }
  }
}

const everywhere = tables.add(
  "write",
  USERS.flatMap((user) => [[at(user, 1), valueOf(900)] as const]),
  [],
);
const A_TABLE: Older = {
  layers: [],
  version: { levels: { default: [], lock: [], write: [[everywhere]] } },
};

test("what the index answers is what the tree does, for each memtable that there ever was", () => {
  fc.assert(
    fc.property(
      fc.array(anyEdit, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(NOTHING, A_TABLE),
      (edits, older) => {
        const memtables = [emptyMemtable()];
        let value = 0;
        for (const { changes, back, isGivenUp } of edits) {
          const base = memtables.at(-1 - Math.min(back, memtables.length - 1))!;
          const edit = new MemtableEdit(base, older);
          for (const change of changes) {
            value += 1;
            if (change.type === "put") edit.put("write", change.key, valueOf(value));
            else if (change.type === "delete") edit.delete("write", change.key);
            else edit.deleteRange("write", change.key, change.end);
          }
          for (const memtable of memtables) assertSame(memtable, older);
          if (isGivenUp) continue;
          memtables.push(edit.done());
          assertSame(memtables.at(-1)!, older);
        }
      },
    ),
    { includeErrorInReport: true, numRuns: 300 },
  );
});

test("the index tells of the last memtable alone, and of none behind a fork", () => {
  const put = (base: Memtable, key: Key): Memtable => {
    const edit = new MemtableEdit(base, NOTHING);
    edit.put("write", key, valueOf(1));
    return edit.done();
  };
  const first = put(emptyMemtable(), at("a", 5));
  assert.equal([isTold(first), slotOf(first, "a") > 0, slotOf(first, "b")], [true, true, NONE]);
  const elsewhere = new MemtableEdit(first, NOTHING);
  elsewhere.put("lock", "a" as Key, valueOf(1));
  assert.ok(isTold(elsewhere.done()), "other families leave it alone");
  const second = put(first, at("a", 3));
  const fork = put(first, at("a", 4));
  assert.equal([isTold(first), isTold(second), isTold(fork)], [false, true, false]);
  assert.equal([isTold(put(second, at("b", 1))), isTold(put(fork, at("b", 1)))], [true, false]);
});

test("where the newest version is deleted, the index is unsure until a newer one comes", () => {
  const edit = new MemtableEdit(emptyMemtable(), NOTHING);
  for (const n of [5, 3, 4]) edit.put("write", at("a", n), valueOf(n));
  edit.delete("write", at("a", 5));
  const memtable = edit.done();
  assert.ok(slotOf(memtable, "a") > 0);
  const next = new MemtableEdit(memtable, NOTHING);
  next.delete("write", at("a", 3));
  assert.is(slotOf(memtable, "a"), UNSURE);
  next.put("write", at("a", 4), valueOf(9));
  assert.is(slotOf(memtable, "a"), UNSURE);
  next.put("write", at("a", 2), valueOf(2));
  assert.ok(slotOf(memtable, "a") > 0);
});

test("ranges without entries and long keys cost the index nothing and all", () => {
  const edit = new MemtableEdit(emptyMemtable(), NOTHING);
  edit.put("write", at("a", 5), valueOf(1));
  edit.deleteRange("write", "b" as Key, "c" as Key);
  const told = edit.done();
  assert.ok(isTold(told));
  const long = "k".repeat(MAX_KEPT_KEY - 7);
  const next = new MemtableEdit(told, NOTHING);
  next.put("write", at(long.slice(1), 1), valueOf(2));
  const longest = next.done();
  assert.equal([isTold(longest), slotOf(longest, long.slice(1)) > 0], [true, true]);
  const last = new MemtableEdit(longest, NOTHING);
  last.put("write", at(long, 1), valueOf(3));
  const beyond = last.done();
  assert.not(isTold(beyond));
  const view = stackView({ memtable: beyond, ...NOTHING }, tables);
  assert.equal(view.first("write", long as Key, suffix(0))?.value, valueOf(3));
  assert.equal(view.first("write", "a" as Key, suffix(0))?.value, valueOf(1));
});

test("an index into which nothing but colliding keys go gives up", () => {
  const hash = new KeyHash();
  const colliding: Key[] = [];
  for (let i = 0; colliding.length < 150; i++) {
    const user = keyFromBytes(Uint8Array.of(1, i >>> 16, (i >>> 8) & 0xff, i & 0xff));
    hash.of(user, user.length);
    if ((hash.line & 0x7ff) === 0) colliding.push(user);
  }
  let memtable = emptyMemtable();
  for (const user of colliding) {
    const edit = new MemtableEdit(memtable, NOTHING);
    edit.put("write", at(user, 1), valueOf(1));
    memtable = edit.done();
  }
  assert.is(slotOf(memtable, colliding[0]!), UNSURE);
  assert.is(slotOf(memtable, "elsewhere"), UNSURE);
  const view = stackView({ memtable, ...NOTHING }, tables);
  assert.ok(colliding.every((user) => view.first("write", user, suffix(0)) !== undefined));
});

test("an empty index says that there is nothing", () => {
  assert.is(new Newest(newArena()).find("a" as Key, filterKeyLength("lock", "a" as Key)), NONE);
});

test.run();
