/** Lanes and jobs of a simulated disk: what waits, what goes side by side, what a crash leaves. */
import * as assert from "uvu/assert";
import { Ticket } from "../../engine/base/ids.ts";
import type { DiskOperation, Lane } from "../../engine/storage/disk.ts";
import { SimulatedDisk } from "../../sim/disk/disk.ts";
import { HEALTHY_DISK } from "../../sim/disk/model.ts";
import { suite } from "../harness.ts";
import { generator } from "./random.ts";

const test = suite("tracks of a disk");

const create = (file: string): DiskOperation => ({ type: "create", file });
const append = (file: string, length: number): DiskOperation => ({
  type: "append",
  file,
  bytes: new Uint8Array(length).fill(1),
});
const submit = (disk: SimulatedDisk, lane: Lane, n: number, ...operations: DiskOperation[]): void =>
  disk.submit({ type: "write", lane, ticket: Ticket(n), operations });

test("each track has one piece of work under way, whatever the others do", () => {
  const disk = new SimulatedDisk();
  const random = generator(1);
  submit(disk, "log", 1, create("log-1"));
  submit(disk, "log", 2, append("log-1", 1));
  submit(disk, "table", 3, create("manifest-1"));
  disk.submitSlice(Ticket(9), [create("table-1")]);
  disk.submitSlice(Ticket(9), [append("table-1", 10)]);
  disk.submitSlice(Ticket(8), [create("table-2")]);
  assert.equal(disk.tracks, { waiting: ["log", "table", 9, 8], running: [] });
  for (const track of disk.tracks.waiting) assert.ok(disk.start(random, track) !== undefined);
  assert.equal(disk.tracks, { waiting: [], running: ["log", "table", 9, 8] });
  assert.is(disk.start(random, "log"), undefined);
  assert.equal(disk.finish(random, Ticket(8)), { type: "written", ticket: 8 });
  assert.equal(disk.finish(random, Ticket(9)), { type: "written", ticket: 9 });
  assert.equal(disk.finish(random, "table"), { type: "written", ticket: 3 });
  assert.equal(disk.list(), ["manifest-1", "table-1", "table-2"]);
  assert.equal(disk.tracks, { waiting: [9], running: ["log"] });
  assert.equal(disk.finish(random, "log"), { type: "written", ticket: 1 });
  assert.is(disk.start(random, "table"), undefined);
  assert.ok(disk.start(random, "log") !== undefined);
});

test("a slice that fails names its job and its file", () => {
  const disk = new SimulatedDisk();
  const random = generator(1);
  disk.submitSlice(Ticket(9), [append("table-1", 10)]);
  disk.start(random, Ticket(9));
  const failed = disk.finish(random, Ticket(9));
  assert.equal(failed, { type: "write_failed", ticket: 9, reason: "missing", file: "table-1" });
});

test("a crash interrupts every track by itself, and nothing that waited is ever done", () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    const disk = new SimulatedDisk();
    const random = generator(seed);
    submit(disk, "log", 1, create("log-1"), append("log-1", 4));
    disk.submitSlice(Ticket(9), [create("table-1"), append("table-1", 4)]);
    submit(disk, "table", 2, create("manifest-1"));
    disk.start(random, "log");
    disk.start(random, Ticket(9));
    disk.crash("process", random);
    const parts = disk.list().map((file) => (disk.size(file) === 4 ? `${file} whole` : file));
    outcomes.add(parts.join(", "));
    assert.equal(disk.tracks, { waiting: [], running: [] });
  }
  const possible = ["", "log-1", "table-1", "log-1 whole", "table-1 whole", "log-1, table-1"];
  for (const outcome of [...possible, "log-1 whole, table-1 whole"]) {
    assert.ok(outcomes.has(outcome), `never left: ${outcome}`);
  }
  assert.ok([...outcomes].every((outcome) => !outcome.includes("manifest")));
});

test("an operation may be stuck for long, however fast the disk is", () => {
  const disk = new SimulatedDisk({ ...HEALTHY_DISK, sticking: 0.5, stuckUs: 1_000_000 });
  const random = generator(2);
  let stuck = 0;
  for (let i = 1; i <= 200; i++) {
    submit(disk, "log", i, create("log-1"));
    const lastsUs = disk.start(random) ?? 0;
    disk.finish(random);
    if (lastsUs > 1_000_000) stuck += 1;
    else assert.ok(lastsUs < 100);
  }
  assert.ok(stuck > 60 && stuck < 140, String(stuck));
});

test("reads cost time, more on a slow disk, and an observer's cost nothing", () => {
  const disk = new SimulatedDisk();
  disk.perform(create("a"), () => 0.5);
  disk.perform(append("a", 500_000), () => 0.5);
  const cost = (): number => {
    for (let i = 0; i < 10; i++) disk.read("a", 0, 50_000);
    return disk.takeReadingUs();
  };
  const healthy = cost();
  assert.ok(healthy >= 10 * HEALTHY_DISK.readUs, String(healthy));
  assert.is(disk.takeReadingUs(), 0);
  disk.become({ ...HEALTHY_DISK, slowdown: 10 });
  const slow = cost();
  assert.ok(Math.abs(slow - 10 * healthy) <= 10, `${slow} and ${healthy}`);
  const observer = disk.observer();
  assert.equal(observer.read("a", 0, 4), disk.clone().read("a", 0, 4));
  assert.equal(observer.list(), ["a"]);
  assert.is(observer.size("a"), 500_000);
  assert.is(disk.takeReadingUs(), 0);
});

test.run();
