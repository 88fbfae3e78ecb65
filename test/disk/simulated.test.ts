import * as assert from "uvu/assert";
import fc from "fast-check";
import { Ticket } from "../../engine/base/ids.ts";
import type { DiskOperation } from "../../engine/storage/disk.ts";
import { SimulatedDisk } from "../../sim/disk/disk.ts";
import { HEALTHY_DISK } from "../../sim/disk/model.ts";
import { generator } from "./random.ts";
import { suite } from "../harness.ts";
import { bytes, conforms } from "./conformance.ts";
import { conformsInLanes } from "./lanes.ts";
import { onSimulatedDisk } from "./virtual.ts";

const test = suite("simulated disk");

conforms(test, "simulated", onSimulatedDisk);
conformsInLanes(test, "simulated", onSimulatedDisk);

const run = (disk: SimulatedDisk, ...operations: DiskOperation[]): void => {
  for (const operation of operations) assert.ok(disk.perform(operation, () => 0.5).ok);
};
const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const contents = (disk: SimulatedDisk, file: string): Uint8Array => {
  const read = disk.read(file, 0, disk.size(file) ?? 0);
  assert.ok(read.ok);
  return read.ok ? read.bytes : bytes();
};

test("synced bytes survive a loss of power whatever is written behind them", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 0, max: 3000 }),
      fc.array(fc.integer({ min: 1, max: 2000 }), { maxLength: 4 }),
      (seed, synced, lengths) => {
        const disk = new SimulatedDisk();
        run(disk, { type: "create", file: "a" }, { type: "sync_directory" });
        run(disk, { type: "append", file: "a", bytes: filled(synced, 1) });
        run(disk, { type: "sync", file: "a" });
        let size = synced;
        for (const length of lengths) {
          run(disk, { type: "append", file: "a", bytes: filled(length, 2) });
          size += length;
        }
        disk.crash("power", generator(seed));
        const left = contents(disk, "a");
        assert.ok(left.length >= synced && left.length <= size);
        assert.ok(left.subarray(0, synced).every((byte) => byte === 1));
        assert.ok(left.subarray(synced).every((byte) => byte === 0 || byte === 2));
      },
    ),
    { includeErrorInReport: true, numRuns: 200 },
  );
});

test("an unsynced truncation may come undone, and bytes written over the cut may or may not be there", () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 300; seed++) {
    const disk = new SimulatedDisk();
    run(disk, { type: "create", file: "a" }, { type: "sync_directory" });
    run(disk, { type: "append", file: "a", bytes: bytes(1, 2, 3, 4) });
    run(disk, { type: "sync", file: "a" });
    run(disk, { type: "truncate", file: "a", size: 2 });
    run(disk, { type: "append", file: "a", bytes: bytes(9) });
    disk.become({ ...HEALTHY_DISK, tearing: 0 });
    disk.crash("power", generator(seed));
    outcomes.add(contents(disk, "a").join(","));
  }
  for (const possible of ["1,2,3,4", "1,2", "1,2,9", "1,2,0"]) {
    assert.ok(outcomes.has(possible), `never left: ${possible}`);
  }
  for (const outcome of outcomes) assert.match(outcome, /^1,2(,(0|3|9)(,(0|4))?)?$/);
});

test("a loss of power leaves every subset of unsynced sectors, and torn ones", () => {
  const outcomes = new Set<string>();
  let torn = 0;
  for (let seed = 1; seed <= 2000; seed++) {
    const disk = new SimulatedDisk();
    run(disk, { type: "create", file: "a" }, { type: "sync_directory" });
    run(disk, { type: "append", file: "a", bytes: filled(3 * 512, 7) });
    disk.crash("power", generator(seed));
    if (disk.size("a") !== 3 * 512) continue;
    const left = contents(disk, "a");
    const sectors = [0, 512, 1024].map((at) => {
      const sevens = left.subarray(at, at + 512).filter((byte) => byte === 7).length;
      return sevens === 512 ? "new" : sevens === 0 ? "old" : "torn";
    });
    if (sectors.includes("torn")) torn += 1;
    else outcomes.add(sectors.join(" "));
  }
  assert.is(outcomes.size, 8);
  assert.ok(torn > 100);
});

test("creations, renames and removals are lost in any subset unless the directory was synced", () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 500; seed++) {
    const disk = new SimulatedDisk();
    run(disk, { type: "create", file: "old" }, { type: "create", file: "draft" });
    run(disk, { type: "sync_directory" });
    run(disk, { type: "create", file: "new" }, { type: "remove", file: "old" });
    run(disk, { type: "rename", file: "draft", to: "final" });
    disk.crash("power", generator(seed));
    outcomes.add(disk.list().join(" "));
  }
  assert.is(outcomes.size, 8);
  assert.ok(
    outcomes.has("draft old") && outcomes.has("final new") && outcomes.has("final new old"),
  );
});

test("the death of a process alone loses nothing that was handed to the system", () => {
  const disk = new SimulatedDisk();
  run(disk, { type: "create", file: "a" }, { type: "append", file: "a", bytes: bytes(1, 2) });
  disk.crash("process", generator(1));
  assert.equal(contents(disk, "a"), bytes(1, 2));
  // It was in the page cache only: now it goes.
  disk.crash("power", () => 0.99);
  assert.equal(disk.list(), []);
});

test("a failed sync drops what was not synced, and the next one does not bring it back", () => {
  const disk = new SimulatedDisk({ ...HEALTHY_DISK, syncFailure: 1, tearing: 0 });
  const random = (): number => 0;
  run(disk, { type: "create", file: "a" }, { type: "append", file: "a", bytes: bytes(1, 2) });
  assert.equal(disk.perform({ type: "sync", file: "a" }, random), {
    ok: false,
    reason: "io_error",
  });
  disk.become(HEALTHY_DISK);
  assert.ok(disk.perform({ type: "sync", file: "a" }, random).ok);
  assert.is(disk.size("a"), 0);
});

test("a full disk takes what fits and says no, and takes more once something is removed", () => {
  const disk = new SimulatedDisk({ ...HEALTHY_DISK, capacityBytes: 10 });
  const random = (): number => 0.5;
  run(disk, { type: "create", file: "a" }, { type: "append", file: "a", bytes: filled(8, 1) });
  run(disk, { type: "create", file: "b" });
  const refused = disk.perform({ type: "append", file: "b", bytes: filled(4, 2) }, random);
  assert.equal(refused, { ok: false, reason: "no_space" });
  assert.is(disk.size("b"), 2);
  run(disk, { type: "remove", file: "a" });
  run(disk, { type: "append", file: "b", bytes: filled(8, 2) });
});

test("a crash in the middle of an effect leaves a prefix of its operations", () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    const disk = new SimulatedDisk();
    const random = generator(seed);
    disk.submit({
      type: "write",
      lane: "log",
      ticket: Ticket(1),
      operations: [
        { type: "create", file: "a" },
        { type: "sync_directory" },
        { type: "append", file: "a", bytes: bytes(1, 2, 3) },
        { type: "sync", file: "a" },
        { type: "create", file: "b" },
        { type: "sync_directory" },
      ],
    });
    disk.start(random);
    disk.crash("power", random);
    outcomes.add(
      disk
        .list()
        .map((file) => `${file}${disk.size(file)}`)
        .join(" "),
    );
    if (disk.list().includes("b")) assert.is(disk.size("a"), 3);
    assert.is(disk.start(random), undefined);
  }
  for (const possible of ["", "a0", "a3", "a3 b0"]) assert.ok(outcomes.has(possible), possible);
});

test("a clone has the same contents and a future of its own", () => {
  const disk = new SimulatedDisk();
  run(disk, { type: "create", file: "a" }, { type: "sync_directory" });
  run(disk, { type: "append", file: "a", bytes: bytes(1, 2) });
  const twin = disk.clone();
  run(disk, { type: "append", file: "a", bytes: bytes(3) });
  run(twin, { type: "append", file: "a", bytes: bytes(4) });
  assert.equal(contents(disk, "a"), bytes(1, 2, 3));
  assert.equal(contents(twin, "a"), bytes(1, 2, 4));
  run(twin, { type: "sync", file: "a" });
  disk.crash("power", () => 0);
  assert.equal(contents(disk, "a"), bytes());
  assert.equal(contents(twin, "a"), bytes(1, 2, 4));
});

test("latencies are drawn above the minimum, grow with the bytes, and a slow disk multiplies them", () => {
  const random = generator(3);
  const effect = (length: number) => ({
    type: "write" as const,
    lane: "log" as const,
    ticket: Ticket(1),
    operations: [{ type: "append" as const, file: "a", bytes: new Uint8Array(length) }],
  });
  const mean = (slowdown: number, length: number): number => {
    let total = 0;
    for (let i = 0; i < 1000; i++) {
      const disk = new SimulatedDisk({ ...HEALTHY_DISK, slowdown });
      disk.submit(effect(length));
      const us = disk.start(random);
      assert.ok(us !== undefined && us >= HEALTHY_DISK.writeUs.minimumUs * slowdown);
      total += us ?? 0;
    }
    return total / 1000;
  };
  const healthy = mean(1, 100);
  assert.ok(healthy > 3.5 && healthy < 7, String(healthy));
  assert.ok(mean(100, 100) > 50 * healthy);
  assert.ok(mean(1, 5_000_000) > 10_000);
});

test.run();
