import * as assert from "uvu/assert";
import fc from "fast-check";
import { stackView } from "../../../engine/storage/lsm/reading/view.ts";
import { stackOf } from "../../../engine/storage/state.ts";
import { COLUMN_FAMILIES } from "../../../engine/storage/types.ts";
import { generator } from "../../disk/random.ts";
import { suite } from "../../harness.ts";
import { compare, readAll } from "./content.ts";
import type { Op } from "./content.ts";
import { Owner, startOf } from "./owner.ts";
import { SMALL_STORE, TreeRig } from "./rig.ts";

const test = suite("tree against a model");

interface Action {
  readonly kind:
    | "write"
    | "turn"
    | "freeze"
    | "rest"
    | "advance"
    | "settle"
    | "extract"
    | "receive"
    | "destroy"
    | "snapshot"
    | "crash"
    | "kill";
  readonly region: number;
  readonly seed: number;
}

const weighted = (kind: Action["kind"], weight: number): fc.WeightedArbitrary<Action["kind"]> => ({
  weight,
  arbitrary: fc.constant(kind),
});

const anyAction: fc.Arbitrary<Action> = fc.record({
  kind: fc.oneof(
    weighted("write", 10),
    weighted("turn", 6),
    weighted("freeze", 4),
    weighted("rest", 1),
    weighted("advance", 16),
    weighted("settle", 3),
    weighted("extract", 2),
    weighted("receive", 2),
    weighted("destroy", 1),
    weighted("snapshot", 1),
    weighted("crash", 1),
    weighted("kill", 1),
  ),
  region: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(),
});

/** A few operations on the keys of a region. */
function someOps(region: number, seed: number): readonly Op[] {
  const random = generator(seed);
  const pick = (count: number): number => Math.floor(random() * count);
  const key = (): string => `${startOf(region)}${String(pick(40)).padStart(2, "0")}${pick(3)}`;
  return Array.from({ length: 4 + pick(24) }, (): Op => {
    const cf = COLUMN_FAMILIES[Math.max(0, pick(5) - 2)]!;
    const kind = pick(12);
    const first = key();
    const value = `${seed % 1000}${"x".repeat(pick(30))}`;
    if (kind < 8) return { cf, type: "put", key: first, end: "", value };
    if (kind < 11) return { cf, type: "delete", key: first, end: "", value: "" };
    const second = key();
    const [start, end] = first < second ? [first, second] : [second, first];
    return start === end
      ? { cf, type: "delete", key: start, end: "", value: "" }
      : { cf, type: "delete_range", key: start, end, value: "" };
  });
}

/** Counts what the programs got to. */
interface Reached {
  crashes: number;
  compactions: number;
  restores: number;
  extractions: number;
}

function run(seed: number, actions: readonly Action[], reached: Reached): void {
  const cacheBytes = seed % 2 === 0 ? 0 : 1 << 20;
  const rig = new TreeRig(SMALL_STORE, generator(seed), undefined, cacheBytes).start();
  const owner = new Owner(rig);
  const crash = (kind: "power" | "process"): void => {
    reached.crashes += 1;
    owner.crash(kind);
  };
  for (const { kind, region, seed: own } of actions) {
    switch (kind) {
      case "write":
        owner.write(region, someOps(region, own));
        break;
      case "turn":
        owner.turn();
        break;
      case "freeze":
        owner.freeze();
        break;
      case "rest":
        rig.input({ type: "rest" });
        break;
      case "advance": {
        const tracks = rig.tracks();
        if (tracks.length > 0) rig.advance(tracks[own % tracks.length]!);
        break;
      }
      case "settle":
        rig.settle();
        break;
      case "extract":
        owner.extract(region);
        break;
      case "receive":
        owner.receive(region);
        break;
      case "destroy":
        owner.destroy(region);
        break;
      case "snapshot": {
        // Whatever the step goes on to do, what was taken in it stays what it is.
        const view = stackView(stackOf(rig.state), rig.tables);
        const before = readAll(view);
        owner.write(region, someOps(region, own));
        owner.freeze();
        owner.destroy(region);
        compare(view, before);
        break;
      }
      case "crash":
        crash("power");
        break;
      case "kill":
        crash("process");
        break;
    }
    owner.look();
  }
  owner.check();
  crash("power");
  // And what is recovered is as good as new.
  rig.settle();
  owner.look();
  crash("power");
  owner.turn();
  rig.settle();
  owner.look();
  owner.check();
  assert.not(rig.failed);
  reached.compactions += rig.jobs.filter(({ type }) => type === "compaction").length;
  reached.extractions += rig.jobs.filter(({ type }) => type === "extract").length;
  reached.restores += owner.restores;
}

test("whatever crashes, all that was acknowledged comes back, and reads what a map would", () => {
  const reached: Reached = { crashes: 0, compactions: 0, restores: 0, extractions: 0 };
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(anyAction, { minLength: 40, maxLength: 220, size: "max" }),
      (seed, actions) => run(seed, actions, reached),
    ),
    { includeErrorInReport: true, numRuns: 60 },
  );
  // The programs must get somewhere.
  assert.ok(reached.crashes > 200, `${reached.crashes} crashes`);
  assert.ok(reached.compactions > 80, `${reached.compactions} compactions`);
  assert.ok(reached.extractions > 20, `${reached.extractions} extractions`);
  assert.ok(reached.restores > 5, `${reached.restores} restores`);
});

test.run();
