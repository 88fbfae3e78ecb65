import * as assert from "uvu/assert";
import fc from "fast-check";
import { EMPTY_KEY, Key } from "../../../engine/base/bytes.ts";
import { debtOf, depthOf, paceOf } from "../../../engine/storage/lsm/compaction/debt.ts";
import { noFacts } from "../../../engine/storage/lsm/manifest/edit.ts";
import { nextCompaction } from "../../../engine/storage/lsm/compaction/picking.ts";
import type { Merge, Picking } from "../../../engine/storage/lsm/compaction/picking.ts";
import type { Version } from "../../../engine/storage/lsm/types.ts";
import { withTables } from "../../../engine/storage/lsm/version.ts";
import type { TableMeta } from "../../../engine/storage/table/types.ts";
import { suite } from "../../harness.ts";
import { meta } from "../records.ts";
import { SMALL } from "./rig.ts";

const test = suite("picking compactions");

const CONFIG = { ...SMALL, levelZeroTables: 2, levelBytes: 3000, levelGrowth: 2 };
const LAST = 6;

/** Tables by level; of level 0 newest first. */
const versionOf = (...levels: readonly (readonly TableMeta[])[]): Version => ({
  levels: { ...noFacts().version.levels, default: levels },
});

/** Tables of the levels from 0 on, and those of the last level. */
const over = (last: readonly TableMeta[], ...levels: readonly (readonly TableMeta[])[]): Version =>
  versionOf(...Array.from({ length: LAST }, (_, level) => levels[level] ?? []), last);

/** So large that nothing above it weighs enough beside it. */
const huge = (number: number, from: string, to: string): TableMeta =>
  meta(number, from, to, { size: 1e6 });

const picking = (version: Version, changes: Partial<Picking> = {}): Picking => ({
  version,
  pointers: noFacts().pointers,
  running: [],
  damaged: new Set(),
  resting: false,
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
  const newest = [meta(3, "a", "c"), meta(2, "d", "f")];
  assert.is(nextCompaction(picking(over([huge(1, "a", "z")], newest))), undefined);
  const waiting = [[], [], [], [], [meta(4, "b", "x")]];
  assert.is(nextCompaction(picking(over([huge(1, "a", "z")], newest, ...waiting))), undefined);
});

/** One table over all keys in each of the levels from 2 on. */
const full = (): TableMeta[][] => [2, 3, 4, 5].map((level) => [meta(20 + level, "a", "z")]);

test("level 0 goes by tables over one key, newest first, with all that overlaps", () => {
  const newest = [meta(9, "x", "y"), meta(8, "c", "f"), meta(7, "a", "d"), meta(6, "c", "d")];
  const first = [meta(1, "a", "b"), meta(2, "e", "k"), meta(3, "l", "z")];
  const version = over([huge(4, "a", "z")], newest, first, ...full());
  // Level 1 is not urgent with so much room.
  const config = { ...CONFIG, levelBytes: 10_000 };
  const picked = merge(nextCompaction(picking(version, { config })));
  assert.equal(numbers(picked.runs), [[8], [7], [6], [1, 2]]);
  assert.equal([picked.fromLevel, picked.toLevel, picked.bottom], [0, 1, false]);
});

test("what comes from level 0 goes down as far as nothing is in its way", () => {
  const newest = [meta(8, "c", "f"), meta(7, "a", "d")];
  const into = (key: string): number => {
    const way = [4, 5].map((level) => [meta(level, key, key)]);
    const version = over([huge(1, "a", "z")], newest, [], [], [], ...way);
    return merge(nextCompaction(picking(version))).toLevel;
  };
  assert.is(into("e"), 3);
  assert.is(into("g"), 5);
});

test("nothing lies under a merge that is called the bottom", () => {
  const upper = [meta(8, "c", "f"), meta(7, "a", "d")];
  const isBottom = (last: readonly TableMeta[]): boolean =>
    merge(nextCompaction(picking(over(last, upper)))).bottom;
  assert.ok(isBottom([]));
  assert.ok(isBottom([huge(1, "g", "h")]));
  assert.not(isBottom([huge(1, "b", "b")]));
  assert.not(isBottom([huge(1, "f", "z")]));
});

test("level 1 gives one table after another, in turn around the keys", () => {
  const level = (from: number): TableMeta[] =>
    ["a", "c", "e", "g"].map((key, i) => meta(from + i, key, key));
  const version = over([huge(99, "a", "z")], [], ...[1, 10, 20, 30, 40].map(level));
  const picked: number[] = [];
  let { pointers } = noFacts();
  for (let i = 0; i < 5; i++) {
    const choice = merge(nextCompaction(picking(version, { pointers })));
    picked.push(choice.runs[0]![0]!.number);
    const [pointer] = choice.pointers;
    const keys = pointers.default.map((key, at) => (at === 1 ? pointer!.key : key));
    pointers = { ...pointers, default: keys };
  }
  assert.equal(picked, [1, 2, 3, 4, 1]);
});

test("tables over nothing sink, those of the lowest level first", () => {
  const run = ["a", "c", "e"].map((key, i) => meta(i + 1, key, key));
  const sunk = nextCompaction(picking(over([huge(9, "d", "z")], [], [], run)));
  assert.ok(sunk?.type === "move");
  const places = sunk?.type === "move" ? sunk.tables : [];
  const levels = places.map(({ level, table }) => [table.number, level]);
  assert.equal(levels, [
    [1, 6],
    [2, 6],
    [3, 5],
  ]);
  const lower = nextCompaction(picking(over([], [], run, [], [meta(4, "a", "z")])));
  assert.equal(lower?.type === "move" ? lower.leaving.map(({ number }) => number) : [], [4]);
});

test("a table of which the bottom would make something is written anew there", () => {
  const spent = ["a", "c", "e"].map((key, i) => meta(i + 1, key, key, { tombstones: 1 }));
  const rewritten = merge(nextCompaction(picking(versionOf([], spent))));
  assert.equal([numbers(rewritten.runs), rewritten.toLevel, rewritten.bottom], [[[1]], LAST, true]);
  const deep = over([huge(9, "a", "z")], [], spent);
  assert.is(nextCompaction(picking(deep))?.type, "move");
});

/** One table over all keys in each level from 1 on, of these sizes. */
const sized = (last: number, ...sizes: readonly number[]): Version =>
  over(
    [meta(6, "a", "z", { size: last })],
    [],
    ...sizes.map((size, i) => [meta(i + 1, "a", "z", { size })]),
  );

test("a run is merged with those under it that are no larger than what has come together", () => {
  const joined = (...sizes: readonly number[]): number[][] =>
    numbers(merge(nextCompaction(picking(sized(1e6, ...sizes)))).runs);
  assert.equal(joined(10, 10, 10, 10, 10), [[1], [2], [3], [4], [5]]);
  assert.equal(joined(10, 10, 20, 41, 10), [[1], [2], [3]]);
  // With one in any case: level 1 is to be free.
  assert.equal(joined(10, 900, 911, 1, 1), [[1], [2]]);
  const choice = merge(nextCompaction(picking(sized(1e6, 10, 10, 21, 10, 10))));
  const levels = choice.leaving.map(({ level }) => level);
  assert.equal([choice.toLevel, choice.bottom, levels], [2, false, [1, 2]]);
});

test("with the last level it is merged when all above weighs enough beside it", () => {
  const to = (last: number): number =>
    merge(nextCompaction(picking(sized(last, 100, 100, 300, 1000, 1000)))).toLevel;
  assert.is(to(5001), 2);
  assert.is(to(5000), LAST);
});

test("a level is not waited for when all together weighs too much: columns go to the last", () => {
  const piece = (number: number, from: string, to: string): TableMeta =>
    meta(number, from, to, { size: 400 });
  const choice = (size: number): ReturnType<typeof nextCompaction> => {
    const last = [meta(8, "a", "f", { size }), meta(9, "m", "z", { size })];
    const lower = [piece(3, "b", "e"), piece(2, "m", "p")];
    return nextCompaction(picking(over(last, [], [], [], [], [piece(1, "a", "c")], lower)));
  };
  assert.is(choice(1201), undefined);
  const column = merge(choice(1200));
  assert.equal(numbers(column.runs), [[1], [3], [8]]);
  assert.is(column.toLevel, LAST);
});

test("at rest two tables are enough in level 0, and runs that wait become one", () => {
  const sparse = over([huge(9, "a", "z")], [meta(2, "a", "d"), meta(1, "c", "f")]);
  const config = { ...CONFIG, levelZeroTables: 4 };
  assert.is(nextCompaction(picking(sparse, { config })), undefined);
  const joined = merge(nextCompaction(picking(sparse, { config, resting: true })));
  assert.equal(numbers(joined.runs), [[2], [1]]);
  const run = (number: number, size: number): TableMeta[] => [meta(number, "a", "z", { size })];
  const tidied = (...sizes: readonly number[]): number[][] | undefined => {
    const waiting = sizes.map((size, i) => run(i + 1, size));
    const version = over([huge(9, "a", "z")], [], [], [], ...waiting);
    const choice = nextCompaction(picking(version, { resting: true }));
    return choice === undefined ? undefined : numbers(merge(choice).runs);
  };
  assert.equal(tidied(100, 800, 7200), [[1], [2], [3]]);
  // A run that is much larger waits for more; so does the last level.
  assert.equal(tidied(100, 801, 6400), [[2], [3]]);
  assert.is(tidied(100, 801, 6409), undefined);
});

test("a run is cut where tables of the last level begin, and if that can be other runs too", () => {
  const last = ["a", "c", "e", "g", "i", "k", "m", "o"].map((key, i) =>
    meta(i + 1, key, `${key}z`),
  );
  const newest = [meta(30, "a", "z"), meta(31, "a", "z")];
  // One alone would only be moved, were it not as wide as many columns.
  const alone = { ...CONFIG, tableBytes: 1000, levelBytes: 1000 };
  const wide = nextCompaction(picking(over(last, newest.slice(1)), { config: alone }));
  assert.is(merge(wide).cuts.join(""), "cegikmo");
  const cuts = (tableBytes: number, waiting: readonly TableMeta[]): string => {
    const config = { ...CONFIG, tableBytes, levelGrowth: 1 };
    const version = over(last, newest, [], [], [], [], waiting);
    return merge(nextCompaction(picking(version, { config }))).cuts.join("");
  };
  assert.is(cuts(1000, []), "cegikmo");
  assert.is(cuts(1500, []), "eim");
  assert.is(cuts(8000, []), "");
  const waiting = [meta(40, "a", "az"), meta(41, "c", "hz"), meta(42, "i", "jz")];
  assert.is(cuts(2500, waiting), "io");
  // Whoever finds none to share cuts all the same, in the end.
  assert.is(cuts(1500, waiting), "gko");
});

test("an entry of a hundred memtables is written half a dozen times", () => {
  const config = { ...CONFIG, tableBytes: 1000, levelZeroTables: 4, levelGrowth: 3 };
  const name = (place: number): string => `k${String(place).padStart(3, "0")}`;
  // Of 100 keys; what overwrites what is of no account but in the last level.
  const total = 100_000;
  const pieces = (from: number, to: number, size: number, cuts: readonly Key[]): TableMeta[] => {
    const ends = new Set(cuts.map((cut) => Number(cut.slice(1))));
    for (let i = 1; i < size / config.tableBytes; i++) {
      ends.add(from + Math.floor((i * config.tableBytes * (to - from)) / size));
    }
    const starts = [from, ...[...ends].filter((end) => end > from && end < to)];
    starts.sort((a, b) => a - b);
    return starts.map((start, i) => {
      const end = starts[i + 1] ?? to;
      const part = (size * (end - start)) / (to - from);
      number += 1;
      return meta(number, name(start), name(end - 1), { size: part });
    });
  };
  const place = (key: string): number => Number(key.slice(1, 4));
  let number = 0;
  let version = noFacts().version;
  let { pointers } = noFacts();
  let written = 0;
  let jobs = 0;
  const edit = (...change: [Merge["leaving"], { level: number; table: TableMeta }[]]): void => {
    const after = withTables(version, ...change);
    assert.ok(typeof after !== "string", JSON.stringify(after));
    if (typeof after !== "string") version = after;
  };
  const compact = (): void => {
    for (let i = 0; ; i++) {
      assert.ok(i < 1000, "there is an end to it");
      const choice = nextCompaction(picking(version, { config, pointers }));
      if (choice === undefined) return;
      if (choice.type !== "merge") {
        edit(choice.leaving, choice.type === "move" ? [...choice.tables] : []);
        continue;
      }
      const { hull, runs, toLevel, cuts, leaving } = choice;
      const [from, to] = [place(hull.start), place(hull.end) + 1];
      const bytes = runs.flat().reduce((sum, { size }) => sum + size, 0);
      const size = Math.min(bytes, ((to - from) * total) / 100);
      written += size;
      jobs += 1;
      const added = pieces(from, to, size, cuts).map((table) => ({ level: toLevel, table }));
      edit(leaving, added);
      for (const { level, key } of choice.pointers) {
        const keys = pointers.default.map((old, at) => (at === level ? key : old));
        pointers = { ...pointers, default: keys };
      }
    }
  };
  const flush = (): void => {
    number += 1;
    edit([], [{ level: 0, table: meta(number, name(0), name(99)) }]);
    written += 1000;
    compact();
  };
  for (let i = 0; i < 200; i++) flush();
  written = 0;
  jobs = 0;
  for (let i = 0; i < 400; i++) flush();
  const times = written / 400_000;
  assert.ok(times > 3 && times < 6.5, `${times} times`);
  assert.ok(jobs > 200, `${jobs} jobs: the last level goes piece by piece`);
  const all = version.levels.default.flat().reduce((sum, { size }) => sum + size, 0);
  assert.ok(all < 1.5 * total, "and what is overwritten takes no more than a third beside it");
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
  const config = { ...CONFIG, levelBytes: 1e5 };
  const upper = [meta(8, "c", "f"), meta(7, "a", "d"), meta(6, "c", "d")];
  const first = ["a", "s"].map((key, i) => meta(i + 1, key, `${key}z`));
  const last = [huge(9, "a", "z")];
  const version = over(last, upper, first, ...full());
  const job = merge(nextCompaction(picking(version, { config })));
  assert.equal(numbers(job.runs), [[8], [7], [6], [1]]);
  // The tables under all of level 1 are not that job's, but level 1 is.
  assert.is(nextCompaction(picking(version, { config, running: [job] })), undefined);
  const columns = [2, 3, 4, 5].map((level) => [
    meta(10 + level, "a", "b"),
    meta(20 + level, "s", "t"),
  ]);
  const apart = over(last, upper, first, ...columns);
  const second = merge(nextCompaction(picking(apart, { config, running: [job] })));
  assert.equal(numbers(second.runs), [[2], [22], [23], [24], [25]]);
  const damaged = new Set([7]);
  assert.is(nextCompaction(picking(versionOf(upper), { damaged })), undefined);
});

const at = (key: string): Picking["pointers"] => {
  const { pointers } = noFacts();
  return { ...pointers, default: pointers.default.map(() => Key(key)) };
};

test("debt is what levels hold too much; all that is ahead lets compactions write faster", () => {
  assert.is(depthOf([meta(3, "a", "c"), meta(2, "b", "f"), meta(1, "d", "f")]), 3);
  assert.is(depthOf([meta(2, "a", "c"), meta(1, "d", "f")]), 1);
  const run = Array.from({ length: 5 }, (_, i) => meta(i + 1, `k${i}`, `k${i}`));
  const debt = debtOf(versionOf([], run), CONFIG);
  assert.equal(debt, { levelZero: 0, bytes: 2000, ahead: 5000 });
  const paced = { ...CONFIG, bytesPerSecond: 10, debtBytes: 900 };
  assert.is(paceOf(debt, paced), 60);
  assert.is(paceOf({ levelZero: 0, bytes: 0, ahead: 0 }, paced), 10);
  assert.is(paceOf(debt, { ...paced, bytesPerSecond: 0 }), 0);
});

test("the same version picks the same, and what is picked can be entered as an edit", () => {
  const anyTable = fc.tuple(fc.nat(20), fc.nat(6), fc.boolean());
  fc.assert(
    fc.property(
      fc.array(anyTable, { maxLength: 6 }),
      fc.array(fc.tuple(fc.nat(5), fc.boolean()), { minLength: 3, maxLength: 16 }),
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
        const levels: TableMeta[][] = [fresh, [], [], [], [], [], []];
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
        const added = choice.type === "move" ? choice.tables : [];
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
