import * as assert from "uvu/assert";
import fc from "fast-check";
import { EMPTY_KEY, Key } from "../../../engine/base/bytes.ts";
import { debtOf, depthOf, paceOf } from "../../../engine/storage/lsm/debt.ts";
import { noFacts } from "../../../engine/storage/lsm/edit.ts";
import { nextCompaction } from "../../../engine/storage/lsm/picking.ts";
import type { Merge, Picking } from "../../../engine/storage/lsm/picking.ts";
import type { Version } from "../../../engine/storage/lsm/types.ts";
import { withTables } from "../../../engine/storage/lsm/version.ts";
import type { TableMeta } from "../../../engine/storage/table/types.ts";
import { suite } from "../../harness.ts";
import { meta } from "../records.ts";
import { SMALL } from "./rig.ts";

const test = suite("picking compactions");

const CONFIG = { ...SMALL, levelZeroTables: 2, levelBytes: 3000, levelGrowth: 2 };

/** Tables by level; of level 0 newest first. */
const versionOf = (...levels: readonly (readonly TableMeta[])[]): Version => ({
  levels: { ...noFacts().version.levels, default: levels },
});

const picking = (version: Version, changes: Partial<Picking> = {}): Picking => ({
  version,
  pointers: noFacts().pointers,
  running: [],
  damaged: new Set(),
  config: CONFIG,
  ...changes,
});

function merge(choice: ReturnType<typeof nextCompaction>): Merge {
  if (choice?.type !== "merge") throw new Error(`a merge is picked, not ${String(choice?.type)}`);
  return choice;
}

const numbers = (runs: readonly (readonly TableMeta[])[]): number[][] =>
  runs.map((run) => run.map(({ number }) => number));

test("nothing is picked where nothing is over its limit", () => {
  assert.is(nextCompaction(picking(noFacts().version)), undefined);
  const version = versionOf([meta(3, "a", "c"), meta(2, "d", "f")], [meta(1, "a", "z")]);
  assert.is(nextCompaction(picking(version)), undefined);
});

test("level 0 goes by tables over one key, newest first, with all that overlaps", () => {
  const version = versionOf(
    [meta(9, "x", "y"), meta(8, "c", "f"), meta(7, "a", "d")],
    [meta(1, "a", "b"), meta(2, "e", "k"), meta(3, "l", "z")],
    [meta(4, "a", "c")],
  );
  const picked = merge(nextCompaction(picking(version)));
  assert.equal(numbers(picked.runs), [[8], [7], [1, 2]]);
  assert.equal([picked.fromLevel, picked.toLevel, picked.bottom], [0, 1, false]);
});

test("nothing lies under a merge that is called the bottom", () => {
  const upper = [meta(8, "c", "f"), meta(7, "a", "d")];
  const isBottom = (...below: readonly TableMeta[][]): boolean =>
    merge(nextCompaction(picking(versionOf(upper, [], ...below)))).bottom;
  assert.ok(isBottom());
  assert.ok(isBottom([], [meta(1, "g", "h")]));
  assert.not(isBottom([], [meta(1, "b", "b")]));
  assert.not(isBottom([meta(1, "f", "z")]));
});

test("a level over its bytes gives one table after another, in turn around the keys", () => {
  const run = ["a", "c", "e", "g"].map((key, i) => meta(i + 1, key, key));
  const lower = [meta(9, "a", "h")];
  const picked: number[] = [];
  let { pointers } = noFacts();
  for (let i = 0; i < 5; i++) {
    const choice = merge(nextCompaction(picking(versionOf([], run, lower), { pointers })));
    picked.push(choice.runs[0]![0]!.number);
    const [pointer] = choice.pointers;
    const keys = pointers.default.map((key, level) => (level === 1 ? pointer!.key : key));
    pointers = { ...pointers, default: keys };
  }
  assert.equal(picked, [1, 2, 3, 4, 1]);
});

test("a table that meets nothing below moves, unless the bottom would make something of it", () => {
  const run = ["a", "c", "e"].map((key, i) => meta(i + 1, key, key));
  const moved = nextCompaction(picking(versionOf([], run)));
  assert.ok(moved?.type === "move" && moved.table.number === 1 && moved.toLevel === 2);
  const spent = run.map((table) => ({ ...table, tombstones: 1 }));
  assert.is(nextCompaction(picking(versionOf([], spent)))?.type, "merge");
  const deep = versionOf([], spent, [], [meta(9, "a", "a")]);
  assert.is(nextCompaction(picking(deep))?.type, "move");
});

test("what lies inside a newer clear is dropped, and nothing else", () => {
  const clears = [{ start: Key("c"), end: Key("f") }];
  const clear = meta(5, "c", "f", { clears, largestExclusive: true });
  const tables = [meta(1, "b", "d"), meta(2, "d1", "e"), meta(3, "f", "g")];
  const choice = nextCompaction(picking(versionOf([clear, meta(4, "c", "c")], tables)));
  assert.ok(choice?.type === "drop");
  assert.equal(choice?.type === "drop" ? choice.leaving.map(({ number }) => number) : [], [4, 2]);
  // A clear does not hide what is newer than itself, nor its own table.
  const older = versionOf([meta(4, "c", "c"), clear]);
  assert.is(nextCompaction(picking(older))?.type, "merge");
});

test("what runs is left alone, and so is what meets it on the same levels", () => {
  const upper = [meta(8, "c", "f"), meta(7, "a", "d"), meta(6, "c", "d")];
  const lower = ["a", "g", "m", "s"].map((key, i) => meta(i + 1, key, `${key}z`));
  const version = versionOf(upper, lower, [meta(9, "a", "z")]);
  const first = merge(nextCompaction(picking(version)));
  assert.is(first.toLevel, 1);
  // The table of level 2 under all of level 1 is not that job's, but level 1 is.
  assert.is(nextCompaction(picking(version, { running: [first] })), undefined);
  const apart = versionOf(upper, lower, [meta(9, "a", "b"), meta(10, "s", "t")]);
  const second = merge(nextCompaction(picking(apart, { running: [first], pointers: at("s") })));
  assert.equal(numbers(second.runs), [[4], [10]]);
  const damaged = new Set([7]);
  assert.is(nextCompaction(picking(versionOf(upper), { damaged })), undefined);
});

const at = (key: string): Picking["pointers"] => {
  const { pointers } = noFacts();
  return { ...pointers, default: pointers.default.map(() => Key(key)) };
};

test("debt is what levels hold too much, and lets compactions write faster", () => {
  assert.is(depthOf([meta(3, "a", "c"), meta(2, "b", "f"), meta(1, "d", "f")]), 3);
  assert.is(depthOf([meta(2, "a", "c"), meta(1, "d", "f")]), 1);
  const run = Array.from({ length: 5 }, (_, i) => meta(i + 1, `k${i}`, `k${i}`));
  const debt = debtOf(versionOf([], run), CONFIG);
  assert.equal(debt, { levelZero: 0, bytes: 2000 });
  const paced = { ...CONFIG, bytesPerSecond: 10, debtBytes: 900 };
  assert.is(paceOf(debt, paced), 30);
  assert.is(paceOf({ levelZero: 0, bytes: 0 }, paced), 10);
  assert.is(paceOf(debt, { ...paced, bytesPerSecond: 0 }), 0);
});

test("the same version picks the same, and what is picked can be entered as an edit", () => {
  const anyTable = fc.tuple(fc.nat(20), fc.nat(6), fc.boolean());
  fc.assert(
    fc.property(
      fc.array(anyTable, { maxLength: 6 }),
      fc.array(fc.tuple(fc.nat(3), fc.boolean()), { minLength: 3, maxLength: 12 }),
      fc.nat(20),
      (newest, rest, pointer) => {
        const name = (place: number): string => `k${String(place).padStart(2, "0")}`;
        let number = 50;
        const fresh = newest.map(([from, length, isClear]) => {
          number -= 1;
          const range = { start: Key(name(from)), end: Key(name(from + length + 1)) };
          return meta(number, range.start, range.end, {
            clears: isClear ? [range] : [],
            largestExclusive: true,
          });
        });
        const levels: TableMeta[][] = [fresh, [], [], [], []];
        for (const [i, [level, isSpent]] of rest.entries()) {
          number -= 1;
          levels[level + 1]!.push(
            meta(number, name(2 * i), name(2 * i + 1), { tombstones: isSpent ? 1 : 0 }),
          );
        }
        const version = versionOf(...levels);
        const input = picking(version, { pointers: at(name(pointer)) });
        const choice = nextCompaction(input);
        assert.equal(nextCompaction(input), choice);
        if (choice === undefined) return;
        const added =
          choice.type === "move" ? [{ level: choice.toLevel, table: choice.table }] : [];
        const after = withTables(version, choice.leaving, added);
        assert.ok(typeof after !== "string", JSON.stringify(after));
        if (choice.type !== "merge") return;
        // The hull of a merge is free in the level it goes to.
        const whole = meta(99, choice.hull.start, choice.hull.end, { largestExclusive: true });
        const entered = withTables(version, choice.leaving, [
          { level: choice.toLevel, table: whole },
        ]);
        assert.ok(
          choice.hull.end === EMPTY_KEY || typeof entered !== "string",
          JSON.stringify(entered),
        );
      },
    ),
    { includeErrorInReport: true, numRuns: 300 },
  );
});

test.run();
