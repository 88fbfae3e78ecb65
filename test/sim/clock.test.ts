import fc from "fast-check";
import * as assert from "uvu/assert";
import {
  clockOf,
  freezeWall,
  readClock,
  setDrift,
  stepWall,
  thawWall,
  trueDelay,
} from "../../sim/clock/clock.ts";
import { suite } from "../harness.ts";

const test = suite("sim/clock");

test("no step, freeze or change of rate moves the monotonic clock back or makes it jump", () => {
  const change = fc.record({
    after: fc.nat(5_000_000),
    type: fc.constantFrom("drift", "step", "freeze", "thaw", "leap"),
    amount: fc.integer({ min: -50_000, max: 50_000 }),
  });
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const clock = clockOf(123_456_789, 10_000, -5_000_000);
      let time = 0;
      let shown = readClock(clock, 0).monotonicMs;
      for (const { after, type, amount } of changes) {
        time += after;
        if (type === "drift") setDrift(clock, time, amount);
        if (type === "step") stepWall(clock, amount * 1000);
        if (type === "freeze") freezeWall(clock, time);
        if (type === "thaw") thawWall(clock, time, false);
        if (type === "leap") thawWall(clock, time, true);
        const now = readClock(clock, time).monotonicMs;
        const elapsedMs = after / 1000;
        assert.ok(now >= shown);
        assert.ok(Math.abs(now - shown - elapsedMs) <= elapsedMs * 0.05 + 2);
        shown = now;
      }
    }),
    { includeErrorInReport: true },
  );
});

test("a frozen wall clock stands still and either lags or catches up afterwards", () => {
  for (const caughtUp of [true, false]) {
    const clock = clockOf(0, 0, 0);
    const before = readClock(clock, 1_000_000).wallMs;
    freezeWall(clock, 1_000_000);
    assert.is(readClock(clock, 4_000_000).wallMs, before);
    thawWall(clock, 5_000_000, caughtUp);
    assert.is(readClock(clock, 6_000_000).wallMs, before + (caughtUp ? 5000 : 1000));
  }
});

test("a fast clock sees its own time pass in less true time", () => {
  assert.is(trueDelay(clockOf(0, 0, 0), 50_000), 50_000);
  assert.is(trueDelay(clockOf(0, 250_000, 0), 50_000), 40_000);
  assert.is(trueDelay(clockOf(0, -200_000, 0), 50_000), 62_500);
});

test.run();
