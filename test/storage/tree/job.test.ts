import * as assert from "uvu/assert";
import fc from "fast-check";
import { EMPTY_KEY, Key, keyAfter } from "../../../engine/base/bytes.ts";
import { crc32 } from "../../../engine/base/checksum.ts";
import { runJob } from "../../../engine/storage/lsm/jobs/job.ts";
import { emptyMemtable } from "../../../engine/storage/lsm/memtable/memtable.ts";
import { tableFile } from "../../../engine/storage/table/file.ts";
import { TableCache } from "../../../engine/storage/table/cache.ts";
import { verifyTable } from "../../../engine/storage/table/verify.ts";
import { TableWriter } from "../../../engine/storage/table/writer.ts";
import { TOMBSTONE } from "../../../engine/storage/table/types.ts";
import type { Clear, Entry, TableMeta } from "../../../engine/storage/table/types.ts";
import type { CompactionJob, Job, JobOutcome } from "../../../engine/storage/lsm/types.ts";
import { endOf } from "../../../engine/storage/lsm/version.ts";
import { SimulatedDisk } from "../../../sim/disk/disk.ts";
import { suite } from "../../harness.ts";
import { bytes } from "../records.ts";
import { SMALL } from "./rig.ts";

const test = suite("jobs of the tree");

const half = (): number => 0.5;
const keyOf = (place: number): Key => Key(`k${String(place).padStart(3, "0")}`);

/** One source: entries by place, and a clear from place to place. */
interface Source {
  readonly entries: ReadonlyMap<number, Entry>;
  readonly clears: readonly (readonly [number, number])[];
}

const anySource: fc.Arbitrary<Source> = fc
  .record({
    puts: fc.array(fc.tuple(fc.nat(60), fc.boolean()), { maxLength: 40 }),
    cuts: fc.uniqueArray(fc.nat(60), { maxLength: 4 }),
  })
  .map(({ puts, cuts }) => {
    const ends = [...cuts].sort((a, b) => a - b);
    const clears = ends.length < 2 ? [] : [[ends[0]!, ends[1]!] as const];
    if (ends.length === 4) clears.push([ends[2]!, ends[3]!]);
    const entries = new Map<number, Entry>();
    for (const [place, alive] of puts) {
      entries.set(place, alive ? bytes(`${place} ${"v".repeat(place % 40)}`) : TOMBSTONE);
    }
    return { entries, clears };
  });

/** Writes a source as one table. */
function tableOf(disk: SimulatedDisk, number: number, source: Source): TableMeta | undefined {
  if (source.entries.size + source.clears.length === 0) return undefined;
  const writer = new TableWriter(number, "default", SMALL.table);
  for (const [place, entry] of [...source.entries].sort(([a], [b]) => a - b)) {
    writer.add(keyOf(place), entry);
  }
  for (const [start, end] of source.clears) writer.clear({ start: keyOf(start), end: keyOf(end) });
  const { parts, meta } = writer.finish();
  const file = tableFile(number);
  disk.perform({ type: "create", file }, half);
  for (const part of parts) disk.perform({ type: "append", file, bytes: part }, half);
  disk.perform({ type: "sync", file }, half);
  return meta;
}

/** Performs a job's slices; checks what holds of the operations of any job. */
function perform(job: Job, disk: SimulatedDisk): JobOutcome {
  const slices = runJob(job, disk);
  const open = new Set<string>();
  for (let next = slices.next(); ; next = slices.next()) {
    if (next.done === true) {
      if (next.value.ok) assert.is(open.size, 0, "every file is synced");
      return next.value;
    }
    for (const operation of next.value) {
      if (operation.type === "create") open.add(operation.file);
      if (operation.type === "sync") open.delete(operation.file);
      assert.ok(disk.perform(operation, half).ok);
    }
  }
}

function done(outcome: JobOutcome): readonly TableMeta[] {
  if (!outcome.ok) throw new Error(outcome.failure.detail);
  return outcome.result.tables;
}

const compaction = (
  runs: readonly (readonly TableMeta[])[],
  changes: Partial<CompactionJob> = {},
): CompactionJob => ({
  type: "compaction",
  firstNumber: 100,
  numbers: 20,
  options: SMALL.table,
  tableBytes: 300,
  sliceBytes: 200,
  bytesPerSecond: 0,
  cf: "default",
  runs,
  fromLevel: 0,
  toLevel: 1,
  bottom: false,
  cuts: [],
  covered: [],
  filter: { type: "none" },
  ...changes,
});

/** What the tables say of each place: an entry, that it is cleared, or nothing. */
function said(disk: SimulatedDisk, tables: readonly TableMeta[]): Map<number, string> {
  const cache = new TableCache(disk, 1 << 20);
  const all = new Map<number, string>();
  for (let place = 0; place <= 61; place++) {
    const key = keyOf(place);
    for (const table of tables) {
      const entry = cache.get(table, key);
      const isCleared = table.clears.some(({ start, end }) => start <= key && key < end);
      if (entry !== undefined && entry !== TOMBSTONE) all.set(place, String(entry));
      else if (entry === TOMBSTONE || isCleared) all.set(place, "gone");
    }
  }
  assert.equal(cache.takeDamage(), []);
  return all;
}

/** The same of sources, newest first. */
function meant(sources: readonly Source[], covered: readonly Clear[]): Map<number, string> {
  const all = new Map<number, string>();
  for (let place = 0; place <= 61; place++) {
    const key = keyOf(place);
    if (covered.some(({ start, end }) => start <= key && key < end)) continue;
    for (const { entries, clears } of sources) {
      const entry = entries.get(place);
      const isCleared = clears.some(([start, end]) => start <= place && place < end);
      if (entry === undefined && !isCleared) continue;
      all.set(place, entry === undefined || entry === TOMBSTONE ? "gone" : String(entry));
      break;
    }
  }
  return all;
}

test("a compaction says what its sources say together, in disjoint tables", () => {
  let many = 0;
  fc.assert(
    fc.property(
      fc.array(anySource, { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      fc.boolean(),
      (sources, bottom, isCovered) => {
        const disk = new SimulatedDisk();
        const runs = sources.flatMap((source, i) => {
          const table = tableOf(disk, i + 1, source);
          return table === undefined ? [] : [[table]];
        });
        if (runs.length === 0) return;
        const covered = isCovered ? [{ start: keyOf(20), end: keyOf(30) }] : [];
        const job = compaction(runs, { bottom, covered });
        const tables = done(perform(job, disk));
        const expected = meant(sources, covered);
        const found = said(disk, tables);
        for (const [place, what] of expected) {
          if (what === "gone" && bottom) assert.is(found.get(place), undefined);
          else assert.is(found.get(place), what, `place ${place}`);
        }
        for (const [place, what] of found) {
          // Clears stay in what is covered, where they do no harm; entries do not.
          if (!expected.has(place)) assert.is(what, "gone");
        }
        for (let i = 1; i < tables.length; i++) {
          const end = endOf(tables[i - 1]!);
          assert.ok(end !== EMPTY_KEY && end <= tables[i]!.smallest, "tables are disjoint");
        }
        if (tables.length > 1) many += 1;
        assert.ok(tables.length <= job.numbers);
        if (bottom) assert.ok(tables.every((t) => t.tombstones + t.clears.length === 0));
      },
    ),
    { includeErrorInReport: true, numRuns: 150 },
  );
  assert.ok(many > 10, `${many} with several tables`);
});

test("no table of a compaction reaches over a cut, nor do its clears, while there are numbers", () => {
  const disk = new SimulatedDisk();
  const entries = new Map(Array.from({ length: 40 }, (_, i) => [i, bytes(`${i}`)] as const));
  const table = tableOf(disk, 1, { entries, clears: [[8, 33]] })!;
  const cuts = [10, 11, 12, 20, 50].map(keyOf);
  const changes = { cuts, tableBytes: 1 << 20 };
  const tables = done(perform(compaction([[table]], changes), disk));
  assert.equal(
    tables.map((made) => [made.smallest, endOf(made)]),
    [
      [keyOf(0), keyOf(10)],
      [keyOf(10), keyOf(11)],
      [keyOf(11), keyOf(12)],
      [keyOf(12), keyOf(20)],
      [keyOf(20), keyAfter(keyOf(39))],
    ],
  );
  assert.equal(said(disk, tables), said(disk, [table]));
  const few = done(
    perform(compaction([[table]], { ...changes, numbers: 2, firstNumber: 200 }), disk),
  );
  assert.is(few.length, 2);
});

test("the last number takes what is left", () => {
  const disk = new SimulatedDisk();
  const entries = new Map(
    Array.from({ length: 60 }, (_, i) => [i, bytes("v".repeat(30))] as const),
  );
  const table = tableOf(disk, 1, { entries, clears: [] })!;
  const tables = done(perform(compaction([[table]], { numbers: 2 }), disk));
  assert.equal(
    tables.map(({ number }) => number),
    [100, 101],
  );
  assert.is(tables[0]!.entries + tables[1]!.entries, 60);
});

test("only a table that will travel has a checksum of its whole file, and both can be proved", () => {
  const disk = new SimulatedDisk();
  const entries = new Map(Array.from({ length: 20 }, (_, i) => [i, bytes(`${i}`)] as const));
  const table = tableOf(disk, 1, { entries, clears: [] })!;
  const [stays] = done(perform(compaction([[table]]), disk));
  const { cf: _, runs, ...common } = compaction([[table]], { firstNumber: 200 });
  const families = [{ cf: "default" as const, runs }];
  const extract = {
    ...common,
    type: "extract" as const,
    families,
    start: EMPTY_KEY,
    end: EMPTY_KEY,
  };
  const [travels] = done(perform(extract, disk));
  const file = disk.read(tableFile(travels!.number), 0, travels!.size);
  assert.ok(file.ok);
  assert.is(travels!.crc32, crc32(file.bytes));
  assert.is(stays!.crc32, 0);
  for (const meta of [stays!, travels!]) assert.equal(verifyTable(disk, meta), []);
});

test("an extraction has one table a family, with a clear of the range and nothing outside it", () => {
  const disk = new SimulatedDisk();
  const newer = { entries: new Map([[5, TOMBSTONE as Entry]]), clears: [[10, 12] as const] };
  const older = {
    entries: new Map(Array.from({ length: 20 }, (_, i) => [i, bytes(`${i}`)] as const)),
    clears: [],
  };
  const runs = [[tableOf(disk, 1, newer)!], [tableOf(disk, 2, older)!]];
  const families = [
    { cf: "default", runs },
    { cf: "lock", runs: [] },
    { cf: "write", runs: [] },
  ] as const;
  const { cf: _, runs: __, ...common } = compaction([]);
  const [start, end] = [keyOf(4), keyOf(13)];
  const job: Job = { ...common, type: "extract", numbers: 3, start, end, families };
  const tables = done(perform(job, disk));
  assert.equal(
    tables.map(({ cf, entries, tombstones }) => [cf, entries, tombstones]),
    [
      ["default", 6, 0],
      ["lock", 0, 0],
      ["write", 0, 0],
    ],
  );
  for (const { clears } of tables) assert.equal(clears, [{ start, end }]);
  const found = said(disk, tables.slice(0, 1));
  const alive = [...found].flatMap(([place, what]) => (what === "gone" ? [] : [place]));
  assert.equal(alive, [4, 6, 7, 8, 9, 12]);
});

test("damage ends a job with its place, unless something newer hides it", () => {
  const disk = new SimulatedDisk();
  const entries = new Map(
    Array.from({ length: 60 }, (_, i) => [i, bytes("v".repeat(30))] as const),
  );
  const table = tableOf(disk, 1, { entries, clears: [] })!;
  const cache = new TableCache(disk, 1 << 20);
  disk.flip(tableFile(1), 400, 0x20);
  for (const place of entries.keys()) cache.get(table, keyOf(place));
  const [damage] = cache.takeDamage();
  assert.ok(damage !== undefined && damage.start > table.smallest);
  const failed = perform(compaction([[table]]), disk);
  assert.ok(!failed.ok);
  if (!failed.ok) {
    assert.is(failed.failure.reason, "corrupt");
    assert.is(failed.failure.file, tableFile(1));
    assert.equal(failed.failure.damage, damage);
  }
  const covered = [{ start: damage.start, end: damage.end }];
  const tables = done(perform(compaction([[table]], { covered }), disk));
  const left = [...entries.keys()].filter(
    (place) => keyOf(place) < damage.start || keyOf(place) >= damage.end,
  );
  assert.is(
    tables.reduce((sum, made) => sum + made.entries, 0),
    left.length,
  );
  assert.ok(left.length > 0 && left.length < 60);
});

test("what has expired goes, and hides what is older until the bottom", () => {
  const expiring = (seconds: number): Uint8Array => {
    const value = new Uint8Array(11);
    new DataView(value.buffer).setBigUint64(3, BigInt(seconds));
    return value;
  };
  const disk = new SimulatedDisk();
  const entries = new Map([
    [1, expiring(100)],
    [2, expiring(101)],
    [3, expiring(0)],
    [4, bytes("short")],
  ]);
  const table = tableOf(disk, 1, { entries, clears: [] })!;
  const filter = { type: "expired", nowSeconds: 100 } as const;
  const kept = done(perform(compaction([[table]], { filter }), disk));
  assert.equal([kept[0]!.entries, kept[0]!.tombstones], [4, 1]);
  const bottom = done(
    perform(compaction([kept], { filter, bottom: true, firstNumber: 200 }), disk),
  );
  assert.equal([bottom[0]!.entries, bottom[0]!.tombstones], [3, 0]);
});

test("a flush of nothing makes nothing", () => {
  const { cf: _, runs: __, ...common } = compaction([]);
  const job: Job = { ...common, type: "flush", memtable: emptyMemtable() };
  assert.equal(done(perform(job, new SimulatedDisk())), []);
});

test.run();
