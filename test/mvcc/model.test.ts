/**
 * Transactions of every kind on few keys, requests lost, delayed and repeated in any order, clients
 * that die and locks that get lost, against a serial model.
 */
import fc from "fast-check";
import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { lifeOf } from "./world/run.ts";

const test = suite("mvcc: worlds");

const anyChoice = fc.tuple(fc.nat(31), fc.nat(255), fc.nat(255));
const anyLife = fc.array(anyChoice, { minLength: 20, maxLength: 150, size: "max" });

test("whatever is lost, late or repeated: all or nothing, in one order, as it was told", () => {
  fc.assert(
    fc.property(anyLife, (choices) => {
      const { world, violations } = lifeOf(choices);
      assert.ok(violations.length === 0, [...violations, ...world.story].join("\n"));
    }),
    { includeErrorInReport: true, numRuns: Number(process.env["MVCC_RUNS"] ?? 300) },
  );
});

test.run();
