import * as assert from "uvu/assert";
import { generator } from "../../disk/random.ts";
import { suite } from "../../harness.ts";
import { Owner, startOf } from "./owner.ts";
import type { Op } from "./content.ts";
import { SMALL, SMALL_STORE, TreeRig } from "./rig.ts";

const test = suite("tree after a crash");

const CONFIG = { ...SMALL_STORE, lsm: { ...SMALL, manifestBytes: 300 } };

const puts = (region: number, from: number, count: number, value: string): readonly Op[] =>
  Array.from({ length: count }, (_, i) => ({
    cf: i % 5 === 4 ? "write" : "default",
    type: "put",
    key: `${startOf(region)}${String(from + i).padStart(3, "0")}`,
    end: "",
    value: `${value} ${"x".repeat(20)}`,
  }));

const range = (region: number, from: number, to: number): Op => ({
  cf: "default",
  type: "delete_range",
  key: `${startOf(region)}${String(from).padStart(3, "0")}`,
  end: `${startOf(region)}${String(to).padStart(3, "0")}`,
  value: "",
});

type Act = (owner: Owner) => void;

/**
 * Everything that touches the disk: flushes, compactions, a snapshot sent and taken in, removals.
 */
const SCRIPT: readonly Act[] = [
  (owner) => owner.write(1, puts(1, 0, 12, "one")),
  (owner) => owner.write(2, puts(2, 0, 12, "one")),
  (owner) => owner.freeze(),
  (owner) => owner.write(1, puts(1, 6, 12, "two")),
  (owner) => owner.extract(2),
  (owner) => owner.write(1, [range(1, 3, 9), ...puts(1, 20, 8, "three")]),
  (owner) => owner.freeze(),
  (owner) => owner.receive(2),
  (owner) => owner.write(2, puts(2, 5, 9, "after")),
  (owner) => owner.freeze(),
  (owner) => owner.destroy(1),
  (owner) => owner.freeze(),
  (owner) => owner.write(2, puts(2, 0, 14, "last")),
  (owner) => owner.freeze(),
];

/** Crashes here in several ways, comes back, goes on, and crashes again. */
function crashHere(owner: Owner, seeds: number): number {
  let crashes = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const random = generator(seed * 7919);
    const disk = owner.rig.disk.clone();
    for (const track of disk.tracks.waiting) if (random() < 0.7) disk.start(random, track);
    disk.crash(seed % 4 === 0 ? "process" : "power", random);
    const rig = new TreeRig(CONFIG, random, disk).after(owner.rig);
    const heir = owner.heir(rig);
    heir.recover(rig.open(), owner.acknowledged);
    crashes += 1;
    if (seed % 2 === 0) rig.settle();
    heir.look();
    heir.write(2, puts(2, 30, 3, "again"));
    heir.freeze();
    heir.turn();
    for (let i = 0; i < seed; i++) {
      const [track] = rig.tracks();
      if (track !== undefined) rig.advance(track);
      heir.look();
    }
    heir.crash("power");
    crashes += 1;
  }
  return crashes;
}

test("a crash before any write and any slice loses nothing, and so does the one after it", () => {
  const rig = new TreeRig(CONFIG, () => 0.5).start();
  const owner = new Owner(rig);
  let crashes = 0;
  let boundaries = 0;
  for (const act of SCRIPT) {
    act(owner);
    owner.turn();
    for (let turn = 0; ; turn++) {
      owner.look();
      const tracks = rig.tracks();
      const track = tracks[turn % Math.max(1, tracks.length)];
      if (track === undefined) break;
      crashes += crashHere(owner, 4);
      boundaries += 1;
      rig.advance(track);
    }
  }
  owner.check();
  const kinds = new Set(rig.jobs.map(({ type }) => type));
  assert.is(kinds.size, 3, "all kinds of jobs have run");
  assert.is(owner.restores, 1);
  assert.ok(rig.state.tree.manifest!.number > 2, "the manifest was written anew");
  assert.ok(rig.state.log.oldest > 1, "segments were removed");
  assert.ok(boundaries > 90 && crashes > 700, `${boundaries} boundaries, ${crashes} crashes`);
});

test("what a crash leaves of jobs is removed, and its numbers are not used again", () => {
  const rig = new TreeRig(CONFIG, generator(3)).start();
  const owner = new Owner(rig);
  owner.write(1, puts(1, 0, 12, "one"));
  owner.turn();
  rig.settle();
  owner.look();
  owner.freeze();
  const [track] = rig.tracks();
  for (let i = 0; i < 3; i++) rig.advance(track!);
  assert.ok(rig.disk.list().some((file) => file.startsWith("table-")));
  const before = rig.state.tree.nextNumber;
  owner.crash("process");
  rig.settle();
  assert.not(rig.disk.list().some((file) => file.startsWith("table-")));
  assert.ok(rig.state.tree.nextNumber > 1 && before > 1);
});

test.run();
