import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import { isolation } from "../../../scenarios/isolation.ts";
import { DEFAULT_OPTIONS } from "../../../sim/build.ts";
import { runSeed, type RunResult } from "../../../sim/run.ts";
import type { Scenario } from "../../../sim/scenario.ts";
import { suite } from "../../harness.ts";

const test = suite("sim/workloads/isolation");

/** A short, busy life without faults. */
const busy: Scenario = {
  ...isolation,
  cluster: { stores: [3], members: [1], replicas: [3] },
  workload: { ...isolation.workload, thinkMs: 10, splits: 2 },
  faults: [],
  network: "calm",
  safetyMs: 1500,
  settings: "usual",
};

const run = (seed: string): Promise<RunResult> =>
  runSeed(busy, seed, drain, { ...DEFAULT_OPTIONS, byReference: true });

/** As many as it takes; the first ones show both mostly. */
const SEEDS: readonly string[] = ["6", "10", "2", "5", "4", "1", "7", "11", "12", "13"];

test("under snapshots write skew happens, and where every read locks it does not", async () => {
  let skews = 0;
  let locking = 0;
  for (const seed of SEEDS) {
    const { violation, operations, checks } = await run(seed);
    assert.is(violation?.text, undefined);
    skews += operations.get("write skew")?.ok ?? 0;
    locking += checks.get("locked reads") ?? 0;
    if (skews > 0 && locking > 20) break;
  }
  assert.ok(skews > 0, "no seed shows write skew");
  assert.ok(locking > 20, `only ${locking} transactions lock what they read`);
});

test.run();
