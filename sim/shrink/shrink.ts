/**
 * Cuts a failing schedule down to the decisions that make it fail: first what nobody needs at once
 * (all clocks, all delays), then strikes, clients, operations, single series, single messages; at
 * last what is left is made round. Whatever is tried must fail in the same way.
 */
import type { Schedule } from "../decisions/schedule.ts";
import type { Takes } from "../decisions/takes.ts";
import { needed } from "./ddmin.ts";
import { roundings } from "./rounding.ts";
import type { Trials } from "./trials.ts";

/** Runs a schedule in this process and writes down what it decides. */
export type Take = (schedule: Schedule, wanted: (lane: string) => boolean) => Promise<Takes>;

export interface Shrinker {
  readonly trials: Trials;
  readonly take: Take;
  /** Told what is being tried and how many decisions are left. */
  readonly onStep: (step: string, schedule: Schedule) => void;
}

/** Decisions that a person would have to look at. */
export const sizeOf = ({ drawn, strikes, operations, fates }: Schedule): number =>
  drawn.length + strikes.length + operations.length + fates.length;

/** The smallest schedule found. `schedule` itself fails. */
export async function shrink(shrinker: Shrinker, schedule: Schedule): Promise<Schedule> {
  let best = schedule;
  let before = "";
  while (JSON.stringify(best) !== before && !shrinker.trials.isSpent) {
    before = JSON.stringify(best);
    for (const [name, step] of STEPS) {
      shrinker.onStep(name, best);
      best = await step(shrinker, best);
    }
  }
  shrinker.onStep("done", best);
  return best;
}

type Step = (shrinker: Shrinker, schedule: Schedule) => Promise<Schedule>;

const STEPS: readonly (readonly [name: string, step: Step])[] = [
  ["the end", endEarly],
  ["strikes", fewerStrikes],
  ["clients", fewerClients],
  ["operations", fewerOperations],
  ["kinds of decisions", fewerDrawn],
  ["series of decisions", narrowerDrawn],
  ["messages", singleMessages],
  ["round numbers", rounder],
];

/** The faults end as early as they may. */
async function endEarly({ trials }: Shrinker, schedule: Schedule): Promise<Schedule> {
  const last = Math.max(
    0,
    ...schedule.strikes.map(({ atUs }) => atUs),
    ...schedule.operations.map(({ atUs }) => atUs),
  );
  const candidates = [0, 500_000, 2_000_000, 5_000_000]
    .map((moreUs) => last + moreUs)
    .filter((safetyUs) => safetyUs < (schedule.safetyUs ?? Infinity))
    .map((safetyUs): Schedule => ({ ...schedule, safetyUs }));
  if (trials.untilUs !== undefined) return schedule;
  return candidates[await trials.firstFailing(candidates)] ?? schedule;
}

function fewerStrikes({ trials }: Shrinker, schedule: Schedule): Promise<Schedule> {
  const { strikes } = schedule;
  return fewer(trials, schedule, strikes, (left) => ({ ...schedule, strikes: left }));
}

function fewerOperations({ trials }: Shrinker, schedule: Schedule): Promise<Schedule> {
  const { operations } = schedule;
  return fewer(trials, schedule, operations, (left) => ({ ...schedule, operations: left }));
}

function fewerDrawn({ trials }: Shrinker, schedule: Schedule): Promise<Schedule> {
  const { drawn } = schedule;
  return fewer(trials, schedule, drawn, (left) => ({ ...schedule, drawn: left }));
}

function fewerClients({ trials }: Shrinker, schedule: Schedule): Promise<Schedule> {
  const clients = [...new Set(schedule.operations.map(({ client }) => client))];
  return fewer(trials, schedule, clients, (left) => ({
    ...schedule,
    operations: schedule.operations.filter(({ client }) => left.includes(client)),
  }));
}

async function fewer<T>(
  trials: Trials,
  schedule: Schedule,
  items: readonly T[],
  rebuilt: (items: readonly T[]) => Schedule,
): Promise<Schedule> {
  const left = await needed(items, (candidates) => trials.firstFailing(candidates.map(rebuilt)));
  return left.length === items.length ? schedule : rebuilt(left);
}

/** What is drawn as a whole is drawn by its parts, as few as will do. */
async function narrowerDrawn(shrinker: Shrinker, schedule: Schedule): Promise<Schedule> {
  const { series } = await shrinker.take(schedule, () => false);
  let best = schedule;
  for (const kind of schedule.drawn) {
    const parts = [...series].filter((name) => name.startsWith(`${kind}/`)).sort();
    if (parts.length === 0) continue;
    const others = best.drawn.filter((name) => name !== kind);
    const rebuilt = (left: readonly string[]): Schedule => ({
      ...best,
      drawn: [...others, ...left],
    });
    if ((await shrinker.trials.firstFailing([rebuilt(parts)])) !== 0) continue;
    best = await fewer(shrinker.trials, rebuilt(parts), parts, rebuilt);
  }
  return best;
}

/** Most messages of a lane that are laid down instead of leaving the lane to the seed. */
const MOST_MESSAGES = 3;

/** Where a few messages of a lane make the difference, they are named. */
async function singleMessages(shrinker: Shrinker, schedule: Schedule): Promise<Schedule> {
  const lanes = schedule.drawn.filter((name) => name.startsWith("net/"));
  if (lanes.length === 0) return schedule;
  const { fates } = await shrinker.take(schedule, (lane) => lanes.includes(lane));
  let best = schedule;
  for (const lane of lanes) {
    const own = fates
      .filter((fate) => fate.lane === lane)
      .map(({ number, held, delays }) => ({ lane, number, held, delays }));
    const { fates: others } = best;
    const drawn = best.drawn.filter((name) => name !== lane);
    const from = best;
    const rebuilt = (left: readonly (typeof own)[number][]): Schedule => ({
      ...from,
      drawn,
      fates: [...others, ...left],
    });
    if ((await shrinker.trials.firstFailing([rebuilt(own)])) !== 0) continue;
    const left = await needed(own, (candidates) =>
      shrinker.trials.firstFailing(candidates.map(rebuilt)),
    );
    if (left.length <= MOST_MESSAGES) best = rebuilt(left);
  }
  return best;
}

/** Times and lengths become round, one after the other. */
async function rounder({ trials }: Shrinker, schedule: Schedule): Promise<Schedule> {
  let best = schedule;
  for (let at = 0; ; at++) {
    const candidates = roundings(best, at);
    if (candidates === undefined) return best;
    best = candidates[await trials.firstFailing(candidates)] ?? best;
  }
}
