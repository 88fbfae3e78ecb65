/**
 * The fault injector: draws which faults a seed has and how often they strike (each seed has a
 * random part of its scenario's faults, some of them much harder than usual), strikes, and takes
 * everything back when the safety phase is over.
 */
import type { Scenario, Span, TimedFault } from "../scenario.ts";
import type { World } from "../model.ts";
import type { Random } from "../random.ts";
import { drawsOf, isDrawn } from "../decisions/decisions.ts";
import { between, chance, pickWeighted } from "../random.ts";
import { lieInWait } from "./ambush.ts";
import { lieInWaitForHeirs } from "./detention.ts";
import { later } from "./later.ts";
import { deal, drawStrike } from "./strike.ts";

/** How much more often than its scenario says a fault of this seed strikes, in quarters. */
const HASTE: readonly (readonly [weight: number, quarters: number])[] = [
  [2, 2],
  [4, 4],
  [2, 8],
  [1, 24],
];

/**
 * Schedules the faults of this seed, and those that are laid down. They strike until the world
 * leaves the safety phase.
 */
export function unleash(world: World, scenario: Scenario): readonly string[] {
  const chosen: string[] = [];
  const seen = new Map<string, number>();
  for (const { name, atUs, lastsUs, strike } of world.decisions.schedule.strikes) {
    later(world, atUs - world.timeUs, strike.type, () => deal(world, name, strike, lastsUs));
  }
  for (const fault of scenario.faults) {
    const nth = (seen.get(fault.type) ?? 0) + 1;
    seen.set(fault.type, nth);
    const name = `fault/${fault.type} ${nth}`;
    const random = drawsOf(world.decisions, name);
    if (!isDrawn(world.decisions, name) || !chance(random, fault.chance)) continue;
    chosen.push(fault.type);
    if (fault.type === "ambush") lieInWait(world, fault, name);
    else if (fault.type === "detain") lieInWaitForHeirs(world, fault, name);
    else plan(world, fault, name, pickWeighted(random, HASTE), 1);
  }
  return chosen;
}

/** Schedules the `nth` strike of one fault, which schedules the one after it. */
function plan(world: World, fault: TimedFault, name: string, quarters: number, nth: number): void {
  const decision = `${name}/${nth}`;
  const random = drawsOf(world.decisions, decision);
  const waitUs = Math.max(1000, Math.floor((drawUs(fault.every, random) * 4) / quarters));
  later(world, waitUs, fault.type, () => {
    const lastsUs = drawUs(fault.lasts, random);
    const strike = drawStrike(world, fault, lastsUs, random);
    if (strike !== undefined) deal(world, decision, strike, lastsUs);
    plan(world, fault, name, quarters, nth + 1);
  });
}

const drawUs = (span: Span, random: Random): number => between(random, span[0], span[1]) * 1000;
