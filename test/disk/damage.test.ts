/** What a simulated disk does to synced bytes and to whole operations, when it is asked to. */
import * as assert from "uvu/assert";
import type { DiskOperation } from "../../engine/storage/disk.ts";
import { SimulatedDisk } from "../../sim/disk/disk.ts";
import { HEALTHY_DISK } from "../../sim/disk/model.ts";
import { suite } from "../harness.ts";
import { bytes } from "./conformance.ts";
import { generator } from "./random.ts";

const test = suite("damaged disk");

const run = (disk: SimulatedDisk, ...operations: DiskOperation[]): void => {
  for (const operation of operations) assert.ok(disk.perform(operation, () => 0.5).ok);
};
const written = (file: string, ...values: readonly Uint8Array[]): SimulatedDisk => {
  const disk = new SimulatedDisk();
  run(disk, { type: "create", file });
  for (const value of values) run(disk, { type: "append", file, bytes: value });
  run(disk, { type: "sync", file }, { type: "sync_directory" });
  return disk;
};
const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const contents = (disk: SimulatedDisk, file: string): number[] => {
  const read = disk.read(file, 0, disk.size(file) ?? 0);
  assert.ok(read.ok);
  return read.ok ? [...read.bytes] : [];
};

test("bit rot changes one byte of a synced file, for good", () => {
  const disk = written("table-1", filled(4, 1));
  assert.equal(disk.damaged(), []);
  disk.flip("table-1", 1, 0x80);
  disk.crash("power", generator(1));
  assert.equal(contents(disk, "table-1"), [1, 0x81, 1, 1]);
  assert.equal(disk.damaged(), ["table-1"]);
});

test("a bad sector fails the reads that touch it and no others, until it is written again", () => {
  const disk = written("table-1", filled(2000, 1));
  disk.spoil("table-1", 600);
  const reads = (offset: number, length: number): boolean =>
    disk.read("table-1", offset, length).ok;
  assert.equal(disk.read("table-1", 512, 1), { ok: false, reason: "io_error" });
  assert.ok(!reads(0, 513) && !reads(1023, 10) && !reads(0, 2000));
  assert.ok(reads(0, 512) && reads(1024, 976));
  assert.equal(disk.clone().read("table-1", 512, 1), { ok: false, reason: "io_error" });
  disk.crash("power", generator(1));
  assert.ok(!reads(1000, 1));
  run(disk, { type: "create", file: "table-1" });
  run(disk, { type: "append", file: "table-1", bytes: filled(2000, 2) });
  assert.ok(reads(0, 2000));
  assert.equal(disk.damaged(), []);
});

test("a misdirected write is missing where it belongs and stands where it does not", () => {
  const disk = written("table-1", filled(4, 1));
  run(disk, { type: "create", file: "log-1" }, { type: "create", file: "table-2" });
  disk.misdirect("table-1", 1, "table-");
  run(disk, { type: "append", file: "log-1", bytes: bytes(7) });
  run(disk, { type: "append", file: "table-2", bytes: bytes(5, 6) });
  run(disk, { type: "append", file: "table-2", bytes: bytes(8) });
  assert.equal(contents(disk, "log-1"), [7]);
  assert.equal(contents(disk, "table-1"), [1, 5, 6, 1]);
  assert.equal(contents(disk, "table-2"), [0, 0, 8]);
  assert.equal(disk.damaged(), ["table-1", "table-2"]);
  run(disk, { type: "remove", file: "table-1" });
  assert.equal(disk.damaged(), ["table-2"]);
});

test("syncs that are told to fail do so as often as told, and drop what they were given", () => {
  const disk = written("log-1", bytes(1));
  disk.become({ ...HEALTHY_DISK, tearing: 0 });
  run(disk, { type: "append", file: "log-1", bytes: bytes(2) });
  disk.failSyncs(1);
  const failed = disk.perform({ type: "sync", file: "log-1" }, () => 0);
  assert.equal(failed, { ok: false, reason: "io_error" });
  assert.equal(contents(disk, "log-1"), [1]);
  run(disk, { type: "append", file: "log-1", bytes: bytes(3) }, { type: "sync", file: "log-1" });
  assert.equal(contents(disk, "log-1"), [1, 3]);
});

test("space can be refused at any call but a sync, and then at most a part of a write is there", () => {
  const disk = written("a", bytes(1, 2));
  disk.become({ ...HEALTHY_DISK, spaceFailure: 1 });
  const random = generator(5);
  const operations: DiskOperation[] = [
    { type: "create", file: "b" },
    { type: "truncate", file: "a", size: 1 },
    { type: "rename", file: "a", to: "b" },
    { type: "remove", file: "a" },
  ];
  for (const operation of operations) {
    const refused = disk.perform(operation, random);
    assert.equal(refused, { ok: false, reason: "no_space" }, operation.type);
  }
  assert.equal(disk.list(), ["a"]);
  assert.ok(disk.perform({ type: "sync", file: "a" }, random).ok);
  const lengths = new Set<number>();
  for (let i = 0; i < 50; i++) {
    const before = disk.size("a") ?? 0;
    const result = disk.perform({ type: "append", file: "a", bytes: bytes(3, 4) }, random);
    assert.ok(!result.ok && result.reason === "no_space");
    lengths.add((disk.size("a") ?? 0) - before);
  }
  assert.equal(
    [...lengths].sort((a, b) => a - b),
    [0, 1, 2],
  );
  assert.is(disk.usedBytes, disk.size("a"));
});

test("a full disk has no room for a new file either, and says how much is free", () => {
  const disk = written("a", filled(6, 1));
  disk.become({ ...HEALTHY_DISK, capacityBytes: 10 });
  assert.is(disk.free(), 4);
  run(disk, { type: "append", file: "a", bytes: filled(4, 2) });
  assert.is(disk.free(), 0);
  const refused = disk.perform({ type: "create", file: "b" }, () => 0.5);
  assert.equal(refused, { ok: false, reason: "no_space" });
  run(disk, { type: "truncate", file: "a", size: 3 }, { type: "create", file: "b" });
  assert.is(disk.free(), 7);
});

test("what a failed sync has dropped is no longer counted as used", () => {
  const disk = written("a", filled(100, 1));
  run(disk, { type: "append", file: "a", bytes: filled(900, 2) });
  disk.failSyncs(1);
  disk.perform({ type: "sync", file: "a" }, () => 0);
  assert.is(disk.usedBytes, disk.size("a"));
  assert.is(disk.usedBytes, 100);
});

test.run();
