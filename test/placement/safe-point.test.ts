import fc from "fast-check";
import * as assert from "uvu/assert";
import {
  applySafePoint,
  expire,
  GC_WORKER,
  lowestService,
  NEVER,
  NO_SAFE_POINTS,
} from "../../engine/placement/catalog/safe-point.ts";
import type { SafePointCommand, SafePoints } from "../../engine/placement/catalog/safe-point.ts";
import { suite } from "../harness.ts";

const test = suite("placement/safe-point");

function after(points: SafePoints, ...commands: readonly SafePointCommand[]): SafePoints {
  let next = points;
  for (const command of commands) {
    const result = applySafePoint(next, command);
    assert.ok(result.ok);
    next = result.points;
  }
  return next;
}

const barrier = (id: string, timestamp: bigint, expiresAt = NEVER): SafePointCommand => ({
  type: "set_barrier",
  barrier: { id, timestamp, expiresAt, global: false },
  lenient: false,
});
const advance = (target: bigint, now = 0): SafePointCommand => ({
  type: "advance_transaction",
  target,
  lenient: false,
  now,
});

test("a barrier holds the transaction safe point and names itself", () => {
  const result = applySafePoint(after(NO_SAFE_POINTS, barrier("backup", 50n)), advance(90n));
  assert.ok(result.ok);
  assert.is(result.after, 50n);
  assert.match(result.blocker, /backup/);
});

test("a barrier whose time is over holds nothing and is forgotten", () => {
  const points = after(NO_SAFE_POINTS, barrier("backup", 50n, 10), advance(90n, 10));
  assert.is(points.transaction, 90n);
  assert.equal(points.barriers, []);
  assert.is(expire(points, 10), points);
});

test("a barrier behind the transaction safe point is refused", () => {
  const result = applySafePoint(after(NO_SAFE_POINTS, advance(90n)), barrier("late", 89n));
  assert.ok(!result.ok);
  assert.match(result.message, "PD:gc:ErrGCBarrierTSBehindTxnSafePoint");
});

test("the collector's safe point never passes that of transactions, except in the older manner", () => {
  const points = after(NO_SAFE_POINTS, advance(90n));
  const refused = applySafePoint(points, { type: "advance_gc", target: 91n, lenient: false });
  assert.ok(!refused.ok);
  const lenient = after(points, { type: "advance_gc", target: 95n, lenient: true });
  assert.is(lenient.gc, 95n);
  assert.is(lenient.transaction, 95n);
});

test("a smaller safe point is refused by name, and ignored in the older manner", () => {
  const points = after(NO_SAFE_POINTS, advance(90n));
  const refused = applySafePoint(points, advance(89n));
  assert.ok(!refused.ok);
  assert.match(refused.message, "PD:gc:ErrDecreasingTxnSafePoint");
  assert.equal(after(points, { ...advance(89n), lenient: true } as SafePointCommand), points);
});

test("the lowest service is the collector itself where no barrier is below it", () => {
  const points = after(NO_SAFE_POINTS, advance(40n), barrier("backup", 60n));
  assert.is(lowestService(points, 0).id, GC_WORKER);
});

test("no command moves a safe point back or lets the collector pass transactions", () => {
  const target = fc.bigInt({ min: 0n, max: 20n });
  const anyCommand: fc.Arbitrary<SafePointCommand> = fc.oneof(
    fc.record({ type: fc.constant("advance_gc" as const), target, lenient: fc.boolean() }),
    fc.record({
      type: fc.constant("advance_transaction" as const),
      target,
      lenient: fc.boolean(),
      now: fc.nat(9),
    }),
    fc.record({
      type: fc.constant("set_barrier" as const),
      barrier: fc.record({
        id: fc.constantFrom("a", "b"),
        timestamp: target,
        expiresAt: fc.nat(9),
        global: fc.boolean(),
      }),
      lenient: fc.boolean(),
    }),
    fc.record({
      type: fc.constant("delete_barrier" as const),
      id: fc.constantFrom("a", "b"),
      global: fc.boolean(),
    }),
  );
  const property = fc.property(fc.array(anyCommand), (commands) => {
    let points = NO_SAFE_POINTS;
    for (const command of commands) {
      const result = applySafePoint(points, command);
      if (!result.ok) continue;
      assert.ok(result.points.gc >= points.gc);
      assert.ok(result.points.transaction >= points.transaction);
      assert.ok(result.points.gc <= result.points.transaction);
      ({ points } = result);
    }
  });
  fc.assert(property, { includeErrorInReport: true });
});

test.run();
