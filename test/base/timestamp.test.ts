import fc from "fast-check";
import * as assert from "uvu/assert";
import { AssertionError } from "../../engine/base/assert.ts";
import {
  LOGICAL_COUNT,
  MAX_TIMESTAMP,
  PHYSICAL_COUNT,
  Timestamp,
  composeTimestamp,
  logicalOf,
  physicalOf,
} from "../../engine/base/timestamp.ts";
import { suite } from "../harness.ts";

const test = suite("timestamp");

const anyPhysical = fc.integer({ min: 0, max: PHYSICAL_COUNT - 1 });
const anyLogical = fc.nat(LOGICAL_COUNT - 1);
const isAssertion = (error: unknown): boolean => error instanceof AssertionError;

test("a timestamp gives back its parts, and orders by physical, then logical", () => {
  fc.assert(
    fc.property(anyPhysical, anyLogical, anyPhysical, anyLogical, (p, l, q, m) => {
      const left = composeTimestamp(p, l);
      assert.is(physicalOf(left), p);
      assert.is(logicalOf(left), l);
      assert.is(left < composeTimestamp(q, m), p < q || (p === q && l < m));
    }),
    { includeErrorInReport: true },
  );
});

test("the parts lie where TiKV's clients look for them", () => {
  assert.is(composeTimestamp(1_600_000_000_000, 5), (1_600_000_000_000n << 18n) + 5n);
  assert.is(composeTimestamp(PHYSICAL_COUNT - 1, LOGICAL_COUNT - 1), MAX_TIMESTAMP);
});

test("parts and values out of range are a wrong program", () => {
  assert.throws(() => composeTimestamp(PHYSICAL_COUNT, 0), isAssertion);
  assert.throws(() => composeTimestamp(-1, 0), isAssertion);
  assert.throws(() => composeTimestamp(0.5, 0), isAssertion);
  assert.throws(() => composeTimestamp(0, LOGICAL_COUNT), isAssertion);
  assert.throws(() => Timestamp(-1n), isAssertion);
  assert.throws(() => Timestamp(2n ** 64n), isAssertion);
});

test.run();
