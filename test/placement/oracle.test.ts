import fc from "fast-check";
import * as assert from "uvu/assert";
import {
  begin,
  follow,
  grant,
  LOGICAL_END,
  nextWindow,
  withLimit,
} from "../../engine/placement/oracle.ts";
import type { Granted, Oracle } from "../../engine/placement/oracle.ts";
import { suite } from "../harness.ts";

const test = suite("placement/oracle");
const WINDOW_MS = 3_000;

/** A leader at `wallMs` whose first window is stored. */
function ready(wallMs: number, storedLimit = 0): Oracle {
  return stored(begin(storedLimit, { monotonicMs: 0, wallMs }));
}

function stored(oracle: Oracle): Oracle {
  const window = nextWindow(oracle, WINDOW_MS);
  return window === undefined ? oracle : withLimit(window.oracle, window.limit);
}

function granted(oracle: Oracle, count: number): { oracle: Oracle; granted: Granted } {
  const result = grant(oracle, count);
  assert.ok(result !== undefined);
  return result;
}

test("nothing is granted before a window is stored", () => {
  assert.is(grant(begin(0, { monotonicMs: 0, wallMs: 1_000 }), 1), undefined);
});

test("a new leader begins at the stored limit where its clock is behind it", () => {
  assert.equal(granted(ready(1_000, 9_000), 1).granted, { physical: 9_000, logical: 1 });
});

test("the logical part of a grant is the largest of the counts granted", () => {
  const first = granted(ready(1_000), 10);
  assert.equal(first.granted, { physical: 1_000, logical: 10 });
  assert.equal(granted(first.oracle, 5).granted, { physical: 1_000, logical: 15 });
});

test("a batch that no longer fits the millisecond starts the next one", () => {
  const first = granted(ready(1_000), LOGICAL_END - 1);
  assert.is(first.granted.logical, LOGICAL_END - 1);
  assert.equal(granted(first.oracle, 2).granted, { physical: 1_001, logical: 2 });
});

test("no grant reaches the limit of the stored window", () => {
  let oracle = ready(1_000);
  for (let i = 0; i < WINDOW_MS; i++) oracle = granted(oracle, LOGICAL_END - 1).oracle;
  assert.is(grant(oracle, LOGICAL_END - 1), undefined);
});

test("a wall clock that steps back a little is waited for", () => {
  const oracle = follow(ready(50_000), { monotonicMs: 10, wallMs: 49_010 });
  assert.equal(granted(oracle, 1).granted, { physical: 50_000, logical: 1 });
});

test("a wall clock that steps far back is met at half the speed of time", () => {
  let oracle = ready(50_000);
  for (let at = 1; at <= 1_000; at++) {
    oracle = follow(oracle, { monotonicMs: at, wallMs: 40_000 + at });
  }
  assert.is(oracle.physical, 50_500);
  assert.is(follow(oracle, { monotonicMs: 90_000, wallMs: 40_000 }).physical, 52_999);
});

test("a wall clock that leaps ahead is followed at no more than twice the speed of time", () => {
  const oracle = follow(ready(50_000), { monotonicMs: 100, wallMs: 9_000_000 });
  assert.is(oracle.physical, 50_200);
});

test("fractions of a millisecond add up", () => {
  let oracle = ready(1_000);
  for (let at = 0.25; at <= 10; at += 0.25) {
    oracle = follow(oracle, { monotonicMs: at, wallMs: 1_000 + at });
  }
  assert.is(oracle.physical, 1_010);
});

test("a clock that shows no possible time does no harm", () => {
  for (const wallMs of [Number.NaN, -5, Number.POSITIVE_INFINITY, 1e300]) {
    const { physical } = granted(ready(wallMs, 7), 1).granted;
    assert.ok(physical >= 7 && physical < 2 ** 46);
  }
});

test("one window is asked for at a time, when more than half of the last is used up", () => {
  const asked = nextWindow(begin(0, { monotonicMs: 0, wallMs: 1_000 }), WINDOW_MS);
  assert.ok(asked !== undefined);
  assert.is(asked.limit, 4_000);
  assert.is(nextWindow(asked.oracle, WINDOW_MS), undefined);
  const oracle = withLimit(asked.oracle, 4_000);
  const early = follow(oracle, { monotonicMs: 1_500, wallMs: 2_500 });
  assert.is(nextWindow(early, WINDOW_MS), undefined);
  const late = follow(early, { monotonicMs: 1_501, wallMs: 2_501 });
  assert.is(nextWindow(late, WINDOW_MS)?.limit, 5_501);
});

type Event =
  | { type: "grant"; count: number }
  | { type: "pass"; ms: number }
  | { type: "step"; ms: number }
  | { type: "store" }
  | { type: "elect" };

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("grant" as const),
      count: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: LOGICAL_END - 1 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("pass" as const),
      ms: fc.integer({ min: 0, max: 4_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("step" as const),
      ms: fc.integer({ min: -1e7, max: 1e7 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant<Event>({ type: "store" }) },
  { weight: 1, arbitrary: fc.constant<Event>({ type: "elect" }) },
);

test("grants only rise, over every leader, clock and lost proposal", () => {
  const property = fc.property(fc.array(anyEvent, { maxLength: 80 }), (events) => {
    let now = { monotonicMs: 0, wallMs: 1e9 };
    let durable = 0;
    let proposed: number | undefined;
    let oracle = begin(durable, now);
    let last: Granted = { physical: -1, logical: 0 };
    for (const event of events) {
      if (event.type === "pass") {
        now = { monotonicMs: now.monotonicMs + event.ms, wallMs: now.wallMs + event.ms };
      } else if (event.type === "step") {
        now = { ...now, wallMs: now.wallMs + event.ms };
      } else if (event.type === "elect") {
        oracle = begin(durable, now);
        proposed = undefined;
      } else if (event.type === "store" && proposed !== undefined) {
        durable = Math.max(durable, proposed);
        oracle = withLimit(oracle, proposed);
        proposed = undefined;
      } else if (event.type === "grant") {
        oracle = follow(oracle, now);
        const result = grant(oracle, event.count);
        if (result === undefined) continue;
        const { physical, logical } = result.granted;
        assert.ok(physical < durable, "a grant lies below the stored limit");
        const firstLogical = logical - event.count + 1;
        assert.ok(firstLogical >= 0 && logical < LOGICAL_END);
        assert.ok(
          physical > last.physical || (physical === last.physical && firstLogical > last.logical),
        );
        ({ oracle } = result);
        last = result.granted;
      }
      const window = nextWindow(oracle, WINDOW_MS);
      if (window !== undefined) {
        ({ oracle } = window);
        proposed = window.limit;
      }
    }
  });
  fc.assert(property, { includeErrorInReport: true });
});

test.run();
