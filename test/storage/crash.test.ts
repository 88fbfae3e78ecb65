import * as assert from "uvu/assert";
import { isDeepStrictEqual } from "node:util";
import { createWire } from "../../engine/base/wire.ts";
import { open } from "../../engine/storage/open.ts";
import type { LogRecord } from "../../engine/storage/types.ts";
import type { Crash } from "../../sim/disk/disk.ts";
import { generator } from "../disk/random.ts";
import { suite } from "../harness.ts";
import { diskOf, imageOf, readerOf, withFile } from "./image.ts";
import type { Image } from "./image.ts";
import { expected } from "./model.ts";
import type { Logged } from "./model.ts";
import {
  append,
  compact,
  destroy,
  entriesFrom,
  entry,
  hardState,
  marks,
  restore,
} from "./records.ts";
import { CONFIG, Rig } from "./rig.ts";
import { DEFAULT_LSM } from "../../engine/storage/lsm/config.ts";

const test = suite("storage after a crash");

const wire = createWire();

const SEGMENT = "log-0000000000000001";
const SECTOR = 512;

/** A log whose last batch starts inside a sector and reaches over several. */
function lastBatch(): { before: Image; after: Image; start: number } {
  const rig = new Rig().start();
  for (let i = 1; i <= 4; i++) {
    rig.log(append(2, [entry(i, 1, "x".repeat(60))]));
    rig.turn();
  }
  const before = imageOf(rig.disk);
  rig.log(append(2, entriesFrom(5, 60)), append(3, [entry(1, 1, "y".repeat(600))]));
  rig.turn();
  return { before, after: imageOf(rig.disk), start: before.get(SEGMENT)!.length };
}

/** Opens what is left of the last batch: 60 entries where it is whole, 4 where it is cut. */
function entriesLeft(image: Image): number {
  const result = open(readerOf(image), CONFIG, wire);
  assert.ok(result.ok, result.ok ? "" : `${result.file} at ${result.offset}: ${result.detail}`);
  return result.ok ? (result.recovered.groups[0]?.entries.length ?? 0) : -1;
}

test("whatever subset of its sectors is lost, an unsynced batch is whole or gone (S14)", () => {
  const { before, after, start } = lastBatch();
  const old = before.get(SEGMENT)!;
  const whole = after.get(SEGMENT)!;
  const first = Math.floor(start / SECTOR);
  const count = Math.ceil(whole.length / SECTOR) - first;
  assert.ok(count >= 4 && start % SECTOR !== 0);
  let cases = 0;
  for (let subset = 0; subset < 1 << count; subset++) {
    // The size reaches the disk apart from the data: anything from the old to the new one.
    for (let last = first; last <= first + count; last++) {
      const size = Math.min(Math.max(last * SECTOR, start), whole.length);
      const left = new Uint8Array(size);
      left.set(old);
      for (let i = 0; i < count; i++) {
        if ((subset & (1 << i)) === 0) continue;
        const from = (first + i) * SECTOR;
        left.set(whole.subarray(from, Math.min(from + SECTOR, size)), Math.min(from, size));
      }
      const isWhole = isDeepStrictEqual(left, whole);
      assert.is(entriesLeft(withFile(after, SEGMENT, left)), isWhole ? 60 : 4);
      cases += 1;
    }
  }
  assert.ok(cases >= 80);
});

test("a batch torn at any byte, short or filled with zeros, is cut off", () => {
  const { after, start } = lastBatch();
  const whole = after.get(SEGMENT)!;
  for (let size = start; size < whole.length; size++) {
    assert.is(entriesLeft(withFile(after, SEGMENT, whole.slice(0, size))), 4);
    const zeros = whole.slice();
    zeros.fill(0, size);
    // Where the rest of the batch is zeros anyway, it is whole.
    const expectation = isDeepStrictEqual(zeros, whole) ? 60 : 4;
    assert.is(entriesLeft(withFile(after, SEGMENT, zeros)), expectation);
  }
});

test("what is written behind a torn tail survives the next crash (S15)", () => {
  const { after, start } = lastBatch();
  const whole = after.get(SEGMENT)!;
  for (let size = start; size < whole.length; size += 97) {
    for (const fill of ["short", "zeros"]) {
      const torn = fill === "short" ? whole.slice(0, size) : whole.slice().fill(0, size);
      const rig = new Rig(CONFIG, generator(size), diskOf(withFile(after, SEGMENT, torn)));
      rig.open();
      rig.settle();
      rig.log(append(2, [entry(5, 2)]));
      rig.turn();
      const { groups } = rig.crash();
      assert.equal(groups[0]?.entries.slice(4), [entry(5, 2)]);
      rig.settle();
      rig.log(append(2, [entry(6, 2)]));
      rig.turn();
      assert.is(rig.crash().groups[0]?.entries.length, 6);
    }
  }
});

test("nothing is written behind a torn tail before the cut is synced", () => {
  const { after } = lastBatch();
  const whole = after.get(SEGMENT)!;
  const torn = withFile(after, SEGMENT, whole.slice(0, whole.length - 1));
  const rig = new Rig(CONFIG, () => 0.5, diskOf(torn));
  rig.open();
  rig.log(append(2, [entry(5, 2)]));
  rig.input({ type: "turn_ended" });
  const writes = rig.transcript.filter((line) => line.startsWith("< write"));
  assert.is(writes.length, 1);
  assert.match(writes[0]!, /truncate \S+ to \d+; sync log-0000000000000001; sync_directory$/);
  assert.is(rig.seen.length, 0);
  rig.settle();
  assert.equal(
    rig.seen.map(({ type }) => type),
    ["opened", "durable"],
  );
});

/**
 * The work of a small store: rotation, marks, removal of segments, and all kinds of records.
 */
const SCRIPT: readonly (readonly LogRecord[] | "freeze")[] = [
  [append(2, entriesFrom(1, 3), hardState(1, 1, 0)), append(3, [entry(1)])],
  [append(2, entriesFrom(4, 9), hardState(1, 1, 3))],
  [append(4, entriesFrom(1, 2), hardState(3, 2))],
  [destroy(4), append(2, entriesFrom(8, 12, 2), hardState(2, 2, 7))],
  "freeze",
  [compact(2, 7), compact(3, 1)],
  [restore(3, 40, 2, "snapshot ".repeat(40)), append(3, entriesFrom(41, 44, 2))],
  [append(2, entriesFrom(13, 20, 2))],
  "freeze",
  [compact(2, 12, 2), compact(3, 41, 2)],
  [append(2, entriesFrom(21, 26, 2)), append(5, [], hardState(9, 9))],
  [append(2, entriesFrom(27, 32, 2))],
  "freeze",
  [compact(2, 32, 2), compact(3, 44, 2)],
  [append(2, entriesFrom(33, 34, 3))],
];
const MARKS = [
  marks({ 2: 7, 3: 1, 4: 0 }),
  marks({ 2: 12, 3: 41, 4: 0 }),
  marks({ 2: 32, 3: 44, 4: 0, 5: 0 }),
];

test("a crash at any point of any write leaves everything acknowledged and no half of a batch", () => {
  const config = { segmentBytes: 500, sliceBytes: 200, lsm: DEFAULT_LSM };
  const rig = new Rig(config).start();
  const logged: Logged[] = [];
  let durableMarks = marks({});
  let crashes = 0;
  const crashHere = (draft = durableMarks): void => {
    for (let seed = 1; seed <= 24; seed++) {
      const kind: Crash = seed % 4 === 0 ? "process" : "power";
      const random = generator(seed);
      const disk = rig.disk.clone();
      for (const lane of disk.tracks.waiting) disk.start(random, lane);
      disk.crash(kind, random);
      // Again while it is being repaired, and once more: what is acknowledged does not depend on
      // it.
      for (let again = 0; again <= seed % 3; again++) {
        const survivor = new Rig(config, random, disk);
        const { groups, marks: read } = survivor.open();
        const known = [durableMarks, draft].find((all) => isDeepStrictEqual(all, read));
        assert.ok(known !== undefined, "the marks are the old ones or the new ones");
        const least = logged.filter(({ ticket }) => ticket <= rig.durable).length;
        const prefixes = logged.map((_, i) => logged.slice(0, i + 1)).slice(Math.max(0, least - 1));
        if (least === 0) prefixes.push([]);
        assert.ok(prefixes.some((prefix) => isDeepStrictEqual(expected(prefix, known), groups)));
        disk.start(random);
        disk.crash("power", random);
        crashes += 1;
      }
    }
  };
  const settle = (draft?: typeof durableMarks): void => {
    do crashHere(draft);
    while (rig.write());
  };
  let next = 0;
  for (const action of SCRIPT) {
    if (action === "freeze") {
      const draft = MARKS[next]!;
      next += 1;
      rig.freeze(draft);
      rig.input({ type: "turn_ended" });
      settle(draft);
      durableMarks = draft;
    } else {
      logged.push({ ticket: rig.log(...action), records: action });
      rig.input({ type: "turn_ended" });
      settle();
    }
  }
  assert.ok(rig.state.log.oldest > 2, `segments before ${rig.state.log.oldest} were removed`);
  assert.is(rig.durable, logged[logged.length - 1]!.ticket);
  assert.ok(crashes > 1000, String(crashes));
});

test("what a killed process left in the page cache is synced before it may be relied on", () => {
  const rig = new Rig().start();
  rig.log(append(2, [entry(1)], hardState(5, 1)));
  rig.input({ type: "turn_ended" });
  // The batch is appended and not synced when the process dies; it is recovered all the same.
  rig.disk.start(() => 0.5);
  rig.disk.crash("process", () => 0.5);
  rig.seen = [];
  assert.is(rig.open().groups.length, 1);
  assert.is(
    rig.seen.some(({ type }) => type === "opened"),
    false,
  );
  rig.settle();
  assert.ok(rig.seen.some(({ type }) => type === "opened"));
  assert.is(rig.crash("power").groups.length, 1);
});

test("a crash while the first segment is made leaves an empty directory", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const rig = new Rig(CONFIG, generator(seed));
    rig.open();
    rig.input({
      type: "identify",
      identity: { cluster: 1n, store: 1 as never },
      ticket: rig.ticket(),
    });
    rig.input({ type: "turn_ended" });
    const { identity, groups } = rig.crash();
    assert.is(groups.length, 0);
    rig.settle();
    if (identity === undefined) assert.equal(rig.disk.list(), []);
  }
});

test.run();
