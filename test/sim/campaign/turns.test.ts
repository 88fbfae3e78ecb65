import fc from "fast-check";
import * as assert from "uvu/assert";
import { Ledger } from "../../../sim/campaign/ledger.ts";
import { NO_LAST, type Plan } from "../../../sim/campaign/plan.ts";
import { Turns } from "../../../sim/campaign/turns.ts";
import { suite } from "../../harness.ts";

const test = suite("sim/campaign/turns");

const planOf = (scenarios: readonly string[]): Plan => ({
  scenarios,
  first: 1,
  last: NO_LAST,
  shard: { index: 0, count: 1 },
  strategy: "random",
  byReference: false,
});

/** Deals out time to scenarios whose runs last so long; gives the seconds that each has had. */
function deal(
  lasts: readonly number[],
  seconds: number,
  meets: (scenario: number, run: number) => string | undefined,
): number[] {
  const plan = planOf(lasts.map(String).map((text, i) => `${i}: ${text}`));
  const turns = new Turns(plan);
  const ledger: Ledger = new Ledger(plan.scenarios, ({ scenario, wallSeconds }) =>
    turns.charge(scenario, wallSeconds, ledger),
  );
  const had = lasts.map(() => 0);
  const seen = new Set<string>();
  for (let spent = 0; spent < seconds;) {
    const turn = turns.next(ledger);
    assert.ok(turn !== undefined);
    const at = plan.scenarios.indexOf(turn.scenario);
    const wallSeconds = lasts[at] as number;
    assert.not(seen.has(`${turn.scenario}/${turn.seed}`), "nothing is given out twice");
    seen.add(`${turn.scenario}/${turn.seed}`);
    const name = meets(at, turn.seed);
    const counts: number[] = [];
    if (name !== undefined) {
      const { number, isNew } = ledger.numberOf(name);
      if (isNew) ledger.add({ type: "name", name });
      counts.push(number, 1);
    }
    const nothing = { at: 0, events: 0, operations: 0, virtualSeconds: 0, excused: false };
    ledger.add({ type: "run", ...turn, ...nothing, trace: "t", wallSeconds, counts });
    turns.ended(turn);
    had[at] = (had[at] as number) + wallSeconds;
    spent += wallSeconds;
  }
  return had;
}

test("where nothing promises anything, all have the same time, however long their runs are", () => {
  const lasts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 12 });
  fc.assert(
    fc.property(lasts, (tenths) => {
      const seconds = tenths.map((tenth) => tenth / 10);
      const had = deal(seconds, 500, () => undefined);
      assert.ok(Math.max(...had) - Math.min(...had) <= 2 * Math.max(...seconds) + 1);
    }),
    { numRuns: 30, includeErrorInReport: true },
  );
});

test("whoever goes on meeting new things has more, and nobody less than half of his share", () => {
  const had = deal([1, 1, 1, 1], 2000, (scenario, run) =>
    scenario === 2 ? `mark/${run}` : undefined,
  );
  assert.ok((had[2] as number) > 1000, String(had));
  for (const seconds of had) assert.ok(seconds >= 240, String(had));
});

test("what is met again and again promises nothing", () => {
  const had = deal([1, 1, 1, 1], 2000, (scenario) => (scenario === 2 ? "mark/same" : undefined));
  assert.ok(Math.max(...had) - Math.min(...had) <= 4, String(had));
});

test.run();
