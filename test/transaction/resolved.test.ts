import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { LogIndex } from "../../engine/base/ids.ts";
import { Timestamp } from "../../engine/base/timestamp.ts";
import { remember, safeTs, type Settled } from "../../engine/transaction/resolved.ts";
import { suite } from "../harness.ts";

const test = suite("transaction: resolved");

const settled = (version: number, index: number, ts: number): Settled => ({
  version,
  index: index as LogIndex,
  ts: Timestamp(BigInt(ts)),
});
const at = (index: number): LogIndex => index as LogIndex;

test("what is settled counts from its index on, at its version only", () => {
  const known = remember([], settled(1, 10, 100), at(5));
  assert.is(safeTs(known, 1, at(9)), 0n);
  assert.is(safeTs(known, 1, at(10)), 100n);
  assert.is(safeTs(known, 2, at(10)), 0n);
});

test("a replica that lags keeps what it will come to next", () => {
  let known: readonly Settled[] = [];
  for (let i = 1; i <= 20; i++) known = remember(known, settled(1, 10 * i, 100 * i), at(5));
  assert.ok(known.length <= 3);
  assert.is(safeTs(known, 1, at(10)), 100n);
  assert.is(safeTs(known, 1, at(200)), 2000n);
});

test("news of an earlier version of the region changes nothing", () => {
  const known = remember([], settled(2, 10, 100), at(10));
  assert.equal(remember(known, settled(1, 5, 900), at(10)), known);
});

test("what may be read never shrinks and is never more than was told", () => {
  const news = fc.record({ index: fc.nat(30), ts: fc.nat(100), step: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(news), (list) => {
      let known: readonly Settled[] = [];
      let applied = 0;
      let before = 0n;
      const told: Settled[] = [];
      for (const { index, ts, step } of list) {
        applied += step;
        const one = settled(1, index, ts);
        told.push(one);
        known = remember(known, one, at(applied));
        const safe = safeTs(known, 1, at(applied));
        assert.ok(safe >= before);
        const most = told.filter((other) => other.index <= applied).map((other) => other.ts);
        assert.ok(safe <= most.reduce((a, b) => (a > b ? a : b), Timestamp(0n)));
        before = safe;
      }
    }),
    { includeErrorInReport: true, numRuns: 200 },
  );
});

test.run();
