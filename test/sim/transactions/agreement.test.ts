import fc from "fast-check";
import * as assert from "uvu/assert";
import { checkIsolation } from "../../../sim/checkers/transactions/isolation.ts";
import { checkSnapshots } from "../../../sim/checkers/transactions/snapshots.ts";
import { suite } from "../../harness.ts";
import { type Bug, modelHistory, type Shape } from "./model.ts";
import { STRONG } from "./words.ts";

const test = suite("sim/checkers/transactions/agreement");

const BUGS: readonly Bug[] = [
  "blind commit",
  "newest read",
  "old snapshot",
  "kept writes",
  "dirty read",
  "weak locks",
  "torn commit",
];

const shapes = (bug: fc.Arbitrary<Bug | undefined>): fc.Arbitrary<Shape> =>
  fc.record({
    lists: fc.boolean(),
    clients: fc.integer({ min: 1, max: 6 }),
    keys: fc.integer({ min: 1, max: 4 }),
    allLock: fc.boolean(),
    bug,
  });
const choices = fc.array(fc.nat(), { maxLength: 150, size: "max" });

test("what a right store does is found right by both checkers", () => {
  const right = shapes(fc.constant(undefined));
  fc.assert(
    fc.property(right, choices, (shape, steps) => {
      const history = modelHistory(shape, steps);
      const isolation = shape.allLock ? "serializable" : "snapshot";
      assert.equal(checkIsolation(history, { isolation, order: "real time" }), []);
      assert.equal(checkSnapshots(history), []);
    }),
    { includeErrorInReport: true, numRuns: 300 },
  );
});

test("what the data prove wrong, the timestamps prove wrong as well", () => {
  fc.assert(
    fc.property(shapes(fc.constantFrom(...BUGS)), choices, (shape, steps) => {
      const history = modelHistory(shape, steps);
      const byData = checkIsolation(history, STRONG);
      if (byData.length > 0) assert.ok(checkSnapshots(history).length > 0, byData[0]?.text);
    }),
    { includeErrorInReport: true, numRuns: 400 },
  );
});

test("each bug of a store is found by both checkers in most histories of 600 steps", () => {
  for (const bug of BUGS) {
    const found = { byData: 0, byTimestamps: 0 };
    for (let seed = 0; seed < 10; seed++) {
      const shape = { lists: true, clients: 5, keys: 3, allLock: false, bug };
      const [steps] = fc.sample(fc.array(fc.nat(), { minLength: 600, maxLength: 600 }), {
        numRuns: 1,
        seed,
      });
      const history = modelHistory(shape, steps ?? []);
      if (checkIsolation(history, STRONG).length > 0) found.byData += 1;
      if (checkSnapshots(history).length > 0) found.byTimestamps += 1;
    }
    assert.ok(found.byData >= 7, `${bug}: found by data in ${found.byData} of 10`);
    assert.ok(found.byTimestamps >= found.byData, `${bug}: ${JSON.stringify(found)}`);
  }
});

test.run();
