/** Damage that something newer clears: it is neither met nor held against anybody. */
import * as assert from "uvu/assert";
import { EMPTY_KEY, Key } from "../../../engine/base/bytes.ts";
import { isExposed } from "../../../engine/storage/lsm/exposure.ts";
import { emptyMemtable } from "../../../engine/storage/lsm/memtable/memtable.ts";
import { stackView } from "../../../engine/storage/lsm/reading/view.ts";
import type { Layer, Stack } from "../../../engine/storage/lsm/types.ts";
import { Workspace } from "../../../engine/storage/lsm/workspace.ts";
import type { Clear, TableDamage, TableMeta } from "../../../engine/storage/table/types.ts";
import { suite } from "../../harness.ts";
import { bytes, meta } from "../records.ts";
import { MemoryTables } from "./memory-tables.ts";

const test = suite("exposure of damage");

const range = (start: string, end: string): Clear => ({ start: Key(start), end: Key(end) });
const clearing = (number: number, ...clears: readonly Clear[]): TableMeta =>
  meta(number, clears[0]!.start, clears.at(-1)!.end, { clears });

/** Table 7, of which nothing can be known any more. */
const rotten = meta(7, "a", "x");
const damage: TableDamage = {
  table: 7,
  file: "table-7",
  offset: 0,
  cf: "default",
  ...range("a", "y"),
  reason: "corrupt",
  detail: "it does not match",
};

function stackOf(
  runs: readonly (readonly TableMeta[])[],
  layers: readonly Layer[] = [],
  memtable: Stack["memtable"] = emptyMemtable(),
): Stack {
  return { memtable, layers, version: { levels: { default: runs, lock: [], write: [] } } };
}

/** Whether damage shows in [a, m) and in [m, x). */
const shows = (stack: Stack): readonly boolean[] =>
  [range("a", "m"), range("m", "x")].map((part) => isExposed(stack, damage, part));

test("what newer tables clear is not exposed, in their level or above", () => {
  const half = clearing(9, range("a", "m"));
  assert.equal(shows(stackOf([[rotten]])), [true, true]);
  assert.equal(shows(stackOf([[half, rotten]])), [false, true]);
  assert.equal(shows(stackOf([[half], [rotten]])), [false, true]);
  assert.equal(shows(stackOf([[], [half], [rotten]])), [false, true]);
});

test("what older tables clear hides nothing", () => {
  const all = clearing(3, range("a", "z"));
  assert.equal(shows(stackOf([[rotten, all]])), [true, true]);
  assert.equal(shows(stackOf([[rotten], [all]])), [true, true]);
});

test("clears of several sources hide together what none of them hides alone", () => {
  const stack = stackOf([[clearing(9, range("a", "f")), clearing(8, range("f", "m")), rotten]]);
  assert.equal(shows(stack), [false, true]);
  const gap = stackOf([[clearing(9, range("a", "f")), clearing(8, range("g", "m")), rotten]]);
  assert.equal(shows(gap), [true, true]);
});

test("the memtable and what waits to be flushed hide what is under them", () => {
  const workspace = new Workspace(stackOf([[rotten]]), new MemoryTables());
  workspace.perform({ type: "delete_range", cf: "default", ...range("m", "x") });
  const memtable = workspace.done();
  assert.equal(shows(stackOf([[rotten]], [], memtable)), [true, false]);
  const frozen: Layer = { type: "memtable", memtable, marks: [], sequence: 1 };
  assert.equal(shows(stackOf([[rotten]], [frozen])), [true, false]);
});

test("a table that has just been received hides what is under it, and not itself", () => {
  const received = (tables: readonly TableMeta[]): Layer => {
    const mark = { region: 1, applied: 1, appliedTerm: 1, meta: bytes("") } as never;
    return { type: "ingested", tables, mark, sequence: 1 };
  };
  const half = clearing(9, range("a", "m"));
  assert.equal(shows(stackOf([[rotten]], [received([half])])), [false, true]);
  assert.equal(shows(stackOf([], [received([half, rotten])])), [true, true]);
});

test("of a table that is in no source nothing is hidden", () => {
  assert.equal(shows(stackOf([[clearing(9, range("a", "z"))]])), [true, true]);
});

test("a scan does not look at what a clear hides, from either end", () => {
  for (const end of ["d", ""]) {
    const tables = new MemoryTables();
    const old = tables.add("default", [[Key("b"), bytes("old")]], []);
    const clears = [{ start: EMPTY_KEY, end: end === "" ? EMPTY_KEY : Key(end) }];
    const newer = tables.add("default", [[Key("c"), bytes("new")]], clears);
    const view = stackView(stackOf([[newer, old]]), tables);
    const bounds = { lower: EMPTY_KEY, upper: end === "" ? EMPTY_KEY : Key(end) };
    const cursor = view.cursor("default", bounds);
    cursor.seek(Key("a"));
    assert.is(cursor.key, "c");
    cursor.seekBefore(bounds.upper);
    assert.is(cursor.key, "c");
    cursor.previous();
    assert.not(cursor.valid);
    assert.not(tables.opened.includes(old.number));
  }
});

test.run();
