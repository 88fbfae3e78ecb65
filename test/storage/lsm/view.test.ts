import fc from "fast-check";
import * as assert from "uvu/assert";
import { EMPTY_KEY, Key, inRange, keyAfter, prefixEnd } from "../../../engine/base/bytes.ts";
import * as tree from "../../../engine/base/tree.ts";
import {
  MemtableEdit,
  emptyMemtable,
  isEmpty,
} from "../../../engine/storage/lsm/memtable/memtable.ts";
import { stackOf } from "../../../engine/storage/lsm/reading/stack.ts";
import { stackView } from "../../../engine/storage/lsm/reading/view.ts";
import { TOMBSTONE } from "../../../engine/storage/table/types.ts";
import { COLUMN_FAMILIES } from "../../../engine/storage/types.ts";
import { filterKey } from "../../../engine/storage/view.ts";
import type { Bounds, KvCursor, KvView } from "../../../engine/storage/view.ts";
import { suite } from "../../harness.ts";
import { MemoryTables } from "./memory-tables.ts";
import type { Pair } from "./memory-tables.ts";
import { Built, anyKey, anyOperations, anyStack, numberOf, valueOf } from "./stacks.ts";
import type { Model } from "./stacks.ts";

const test = suite("view of a stack");

const EVERYWHERE: Bounds = { lower: EMPTY_KEY, upper: EMPTY_KEY };

const anyBounds: fc.Arbitrary<Bounds> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(EVERYWHERE) },
  { weight: 2, arbitrary: fc.record({ lower: anyKey, upper: anyKey }) },
);

type Move =
  | { readonly type: "seek"; readonly key: Key }
  | { readonly type: "seekBefore"; readonly key: Key }
  | { readonly type: "next" | "previous"; readonly times: number };

const anyMove: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ type: fc.constant("seek" as const), key: anyKey }),
  fc.record({ type: fc.constant("seekBefore" as const), key: anyKey }),
  fc.record({
    type: fc.constantFrom("next" as const, "previous" as const),
    times: fc.integer({ min: 1, max: 6 }),
  }),
);

type Row = readonly [Key, number];

const rowsOf = (model: Model, { lower, upper }: Bounds): Row[] =>
  [...model].filter(([key]) => inRange(key, lower, upper)).sort(([a], [b]) => (a < b ? -1 : 1));

function walked(view: KvView, cf: "default" | "write", bounds: Bounds): Row[] {
  const rows: Row[] = [];
  const cursor = view.cursor(cf, bounds);
  for (cursor.seek(bounds.lower); cursor.valid; cursor.next()) {
    rows.push([cursor.key, numberOf(cursor.value)]);
  }
  return rows;
}

/** Moves the cursor and a position among `rows` alike, and compares what they stand at. */
function compareMoves(cursor: KvCursor, rows: readonly Row[], moves: readonly Move[]): void {
  let at = -1;
  const compare = (what: string): void => {
    const row = rows[at];
    assert.is(cursor.valid, row !== undefined, `valid after ${what}`);
    if (row !== undefined) assert.equal([cursor.key, numberOf(cursor.value)], row, what);
  };
  for (const move of moves) {
    if (move.type === "seek") {
      cursor.seek(move.key);
      at = rows.findIndex(([key]) => key >= move.key);
      compare(`seek(${move.key})`);
    } else if (move.type === "seekBefore") {
      cursor.seekBefore(move.key);
      at = rows.findLastIndex(([key]) => move.key === EMPTY_KEY || key < move.key);
      compare(`seekBefore(${move.key})`);
    } else {
      for (let i = 0; i < move.times && cursor.valid; i++) {
        cursor[move.type]();
        at += move.type === "next" ? 1 : -1;
        compare(move.type);
      }
    }
  }
}

test("a stack reads as the map that its sources fold into, oldest to newest", () => {
  fc.assert(
    fc.property(
      anyStack,
      anyOperations,
      fc.array(anyKey, { maxLength: 20 }),
      (spec, operations, keys) => {
        const built = new Built("default", spec);
        const workspace = built.workspace();
        for (const operation of operations) built.perform(workspace, operation);
        for (const key of [...keys, ...built.model.keys()]) {
          const value = workspace.get("default", key);
          assert.is(value && numberOf(value), built.model.get(key), `in the workspace, ${key}`);
        }
        const view = workspace.snapshot();
        for (const key of [...keys, ...built.model.keys()]) {
          const value = view.get("default", key);
          assert.is(value && numberOf(value), built.model.get(key), `in the view, ${key}`);
        }
        assert.equal(walked(view, "default", EVERYWHERE), rowsOf(built.model, EVERYWHERE));
        assert.equal(walked(view, "write", EVERYWHERE), []);
      },
    ),
    { includeErrorInReport: true, numRuns: 1500 },
  );
});

test("a cursor goes anywhere within its bounds, and turns round anywhere", () => {
  fc.assert(
    fc.property(
      anyStack,
      anyOperations,
      anyBounds,
      fc.array(anyMove, { maxLength: 25, size: "max" }),
      (spec, operations, bounds, moves) => {
        const built = new Built("default", spec);
        const workspace = built.workspace();
        for (const operation of operations) built.perform(workspace, operation);
        const cursor = workspace.snapshot().cursor("default", bounds);
        compareMoves(cursor, rowsOf(built.model, bounds), moves);
      },
    ),
    { includeErrorInReport: true, numRuns: 3000 },
  );
});

test("a snapshot stays what it is while its workspace goes on", () => {
  fc.assert(
    fc.property(anyStack, fc.array(anyOperations, { maxLength: 5 }), (spec, rounds) => {
      const built = new Built("default", spec);
      const workspace = built.workspace();
      const kept: { readonly view: KvView; readonly model: Model }[] = [];
      for (const operations of rounds) {
        for (const operation of operations) built.perform(workspace, operation);
        kept.push({ view: workspace.snapshot(), model: built.model });
      }
      for (const { view, model } of kept) {
        assert.equal(walked(view, "default", EVERYWHERE), rowsOf(model, EVERYWHERE));
        for (const [key, value] of model) assert.is(numberOf(view.get("default", key)!), value);
      }
    }),
    { includeErrorInReport: true, numRuns: 300 },
  );
});

test("two workspaces on one memtable do not write over each other's values", () => {
  const built = new Built("default", { levels: [], level0: [], layers: [] });
  const first = built.workspace();
  built.perform(first, { type: "put", key: Key("a"), value: 1 });
  const stack = stackOf(first.done());
  const views = [2, 3].map((value) => {
    const edit = new MemtableEdit(stack.memtable, stack);
    edit.put("default", Key("b"), valueOf(value));
    return stackView(stackOf(edit.done()), built.tables);
  });
  assert.equal(
    views.map((view) => numberOf(view.get("default", Key("b"))!)),
    [2, 3],
  );
});

/** A user's key and a version of it, as the `write` family has them. */
const versioned = (user: Key, version: number): Key =>
  (user + "\0".repeat(7) + String.fromCharCode(version)) as Key;

test("with a filter key, all that has this filter key is read as without it", () => {
  const lengthen = (key: Key): Key =>
    key.length === 0 ? key : versioned(key.slice(0, 1) as Key, key.length);
  const ofSource = <S extends { readonly entries: readonly { readonly key: Key }[] }>(
    source: S,
  ): S => ({ ...source, entries: source.entries.map((e) => ({ ...e, key: lengthen(e.key) })) });
  fc.assert(
    fc.property(anyStack, fc.constantFrom("a", "b", "c", "\xff"), (spec, letter) => {
      const built = new Built("write", {
        levels: spec.levels.map((run) => ({ ...run, source: ofSource(run.source) })),
        level0: spec.level0.map(ofSource),
        layers: [],
      });
      const user = Key(letter);
      const bounds = { lower: user, upper: prefixEnd(user), filterKey: user };
      const isWanted = ([key]: Row): boolean => filterKey("write", key) === user;
      const view = stackView(built.stack, built.tables);
      const all = rowsOf(built.model, bounds).filter(isWanted);
      assert.equal(walked(view, "write", bounds).filter(isWanted), all);
      const backwards: Row[] = [];
      const cursor = view.cursor("write", bounds);
      for (cursor.seekBefore(EMPTY_KEY); cursor.valid; cursor.previous()) {
        backwards.unshift([cursor.key, numberOf(cursor.value)]);
      }
      assert.equal(backwards.filter(isWanted), all);
    }),
    { includeErrorInReport: true, numRuns: 500 },
  );
});

/** A key of the stacks as one with a version: its first byte, and eight for the others. */
const lengthened = (key: Key): Key =>
  key === EMPTY_KEY ? key : (`${key.slice(0, 1)}${key.slice(1).padEnd(8, "\0")}` as Key);

/** All keys in `data` with versions, wherever they stand. */
function withVersions<T>(data: T): T {
  if (typeof data === "string") return lengthened(data as unknown as Key) as unknown as T;
  if (Array.isArray(data)) return data.map((one: unknown) => withVersions(one)) as unknown as T;
  if (typeof data !== "object" || data === null) return data;
  const entries = Object.entries(data as object).map(([name, value]): [string, unknown] => [
    name,
    name === "type" ? value : withVersions<unknown>(value),
  ]);
  return Object.fromEntries(entries) as T;
}

test("the first version from a key on is the one that a cursor comes to", () => {
  fc.assert(
    fc.property(
      anyStack.map(withVersions),
      anyOperations.map(withVersions),
      fc.array(anyKey.filter((key) => key !== EMPTY_KEY).map(lengthened), { maxLength: 20 }),
      (spec, operations, keys) => {
        const built = new Built("write", spec);
        const workspace = built.workspace();
        for (const operation of operations) built.perform(workspace, operation);
        const view = workspace.snapshot();
        const rows = rowsOf(built.model, EVERYWHERE);
        for (const from of [...keys, ...built.model.keys()]) {
          // The filter key of the empty key begins all others, which no user's key does.
          if (from === EMPTY_KEY) continue;
          const prefix = filterKey("write", from);
          const behind = from.slice(prefix.length) as Key;
          const found = view.first("write", prefix, behind);
          const expected = rows.find(([key]) => key >= from && key.startsWith(prefix));
          assert.equal(found && [prefix + found.rest, numberOf(found.value)], expected, from);
          // Where the newest source that has one settles it, what is found is there all the same.
          const settled = view.first("write", prefix, behind, () => true);
          const rest = rows.filter(([key]) => key >= from && key.startsWith(prefix));
          assert.is(settled === undefined, rest.length === 0, from);
          if (settled === undefined) continue;
          const row = rest.find(([key]) => key === prefix + settled.rest);
          assert.equal(row, [prefix + settled.rest, numberOf(settled.value)], from);
          const unsettled = view.first("write", prefix, behind, () => false);
          assert.equal(unsettled, found, from);
        }
      },
    ),
    { includeErrorInReport: true, numRuns: 1500 },
  );
});

/** Keys `0000` to `9999`, as many tables of equal size in one level. */
function wideLevel(tables: MemoryTables, tableCount: number): KvView {
  const size = 10_000 / tableCount;
  const run = Array.from({ length: tableCount }, (_, t) => {
    const pairs = Array.from({ length: size }, (_, i): Pair => [
      Key(String(t * size + i).padStart(4, "0")),
      valueOf(i),
    ]);
    return tables.add("default", pairs, []);
  });
  const version = { levels: { default: [[], run], lock: [], write: [] } };
  return stackView({ ...stackOf(emptyMemtable()), version }, tables);
}

test("a cursor opens a level's tables one by one, and none outside its bounds", () => {
  const tables = new MemoryTables();
  const view = wideLevel(tables, 100);
  const bounds = { lower: Key("1150"), upper: Key("1250") };
  assert.is(walked(view, "default", bounds).length, 100);
  assert.equal(tables.opened, [12, 13]);
  const cursor = view.cursor("default", EVERYWHERE);
  cursor.seek(Key("5000"));
  assert.equal(tables.opened, [12, 13, 51]);
  cursor.seek(Key("5050"));
  assert.equal(tables.opened, [12, 13, 51], "the open table serves again");
  cursor.previous();
  assert.equal(tables.opened, [12, 13, 51]);
  cursor.seekBefore(Key("5000"));
  assert.equal(tables.opened, [12, 13, 51, 50]);
});

test("a filter key keeps tables that do not have it closed", () => {
  const tables = new MemoryTables();
  const view = wideLevel(tables, 100);
  const key = Key("1150x");
  const cursor = view.cursor("default", { lower: key, upper: keyAfter(key), filterKey: key });
  cursor.seek(key);
  assert.not(cursor.valid);
  assert.equal(tables.opened, []);
});

test("what a clear hides is leapt over both ways", () => {
  const tables = new MemoryTables();
  const pairs = Array.from({ length: 1000 }, (_, i): Pair => [
    Key(String(i).padStart(3, "0")),
    valueOf(i),
  ]);
  const old = tables.add("default", pairs, []);
  const version = { levels: { default: [[old]], lock: [], write: [] } };
  const stack = { ...stackOf(emptyMemtable()), version };
  const edit = new MemtableEdit(stack.memtable, stack);
  edit.deleteRange("default", Key("001"), Key("500"));
  edit.deleteRange("default", Key("500"), Key("999"));
  let steps = 0;
  const counting = {
    get: (...args: Parameters<MemoryTables["get"]>) => tables.get(...args),
    mayContain: () => true,
    cursor: (...args: Parameters<MemoryTables["cursor"]>) => {
      const inner = tables.cursor(...args);
      const count = (move: () => void) => (): void => {
        steps += 1;
        move();
      };
      return Object.defineProperties(inner, {
        next: { value: count(inner.next.bind(inner)) },
        previous: { value: count(inner.previous.bind(inner)) },
      });
    },
  };
  const view = stackView({ ...stack, memtable: edit.done() }, counting);
  const cursor = view.cursor("default", EVERYWHERE);
  cursor.seek(EMPTY_KEY);
  cursor.next();
  assert.is(cursor.key, Key("999"));
  cursor.previous();
  assert.is(cursor.key, Key("000"));
  assert.ok(steps <= 4, `${steps} steps`);
});

test("what nothing older can have is deleted without a trace", () => {
  const tables = new MemoryTables();
  const table = tables.add("default", [[Key("b"), valueOf(1)]], []);
  const version = { levels: { default: [[], [table]], lock: [], write: [] } };
  const stack = { ...stackOf(emptyMemtable()), version };
  const edit = new MemtableEdit(stack.memtable, stack);
  for (const key of ["a", "b", "c"]) edit.put("default", Key(key), valueOf(2));
  for (const key of ["a", "b", "c"]) edit.delete("default", Key(key));
  edit.deleteRange("default", Key("c"), Key("d"));
  edit.deleteRange("lock", EMPTY_KEY, EMPTY_KEY);
  const { entries, clears } = edit.done();
  assert.is(entries.default.size, 1);
  assert.equal([clears.default.size, clears.lock.size], [0, 0]);
  const again = new MemtableEdit({ ...emptyMemtable(), entries, clears }, stack);
  assert.is(again.get("default", Key("b")), TOMBSTONE);
  again.deleteRange("default", Key("a"), Key("c"));
  again.delete("default", Key("b"));
  assert.equal([again.get("default", Key("b")), again.done().entries.default.size], [TOMBSTONE, 0]);
});

test("what a frozen memtable has deleted is deleted without a trace", () => {
  const tables = new MemoryTables();
  const table = tables.add("default", [[Key("b"), valueOf(1)]], []);
  const version = { levels: { default: [[table]], lock: [], write: [] } };
  const older = { layers: [], version };
  const edit = new MemtableEdit(emptyMemtable(), older);
  edit.delete("default", Key("b"));
  const memtable = edit.done();
  const layers = [{ type: "memtable", memtable, marks: [], sequence: 0 } as const];
  const next = new MemtableEdit(emptyMemtable(), { layers, version });
  next.delete("default", Key("b"));
  assert.ok(isEmpty(next.done()));
  assert.not(isEmpty(memtable));
});

test("ranges deleted side by side are one clear", () => {
  const tables = new MemoryTables();
  const table = tables.add(
    "default",
    [[Key("b"), valueOf(1)]],
    [{ start: Key("a"), end: EMPTY_KEY }],
  );
  const version = { levels: { default: [[table]], lock: [], write: [] } };
  const edit = new MemtableEdit(emptyMemtable(), { layers: [], version });
  for (const [start, end] of ["cd", "de", "ab", "bc", "xy"]) {
    edit.deleteRange("default", Key(start!), Key(end!));
  }
  const clears = [...tree.entries(edit.done().clears.default)];
  assert.equal(clears, [
    ["a", "e"],
    ["x", "y"],
  ]);
});

test("an ingested layer has tables of several families", () => {
  const tables = new MemoryTables();
  const made = (["write", "default", "lock"] as const).map((cf, i) =>
    tables.add(cf, [[Key("a"), valueOf(i)]], [{ start: EMPTY_KEY, end: EMPTY_KEY }]),
  );
  const layer = { type: "ingested", tables: made, mark: undefined as never, sequence: 0 } as const;
  const view = stackView({ ...stackOf(emptyMemtable()), layers: [layer] }, tables);
  assert.equal(
    COLUMN_FAMILIES.map((cf) => numberOf(view.get(cf, Key("a"))!)),
    [1, 2, 0],
  );
  assert.equal(walked(view, "write", EVERYWHERE), [["a", 0]]);
});

test.run();
