/**
 * The fault injector: draws which faults a seed has and how often they strike (each seed has a
 * random part of its scenario's faults, some of them much harder than usual), strikes, and takes
 * everything back when the safety phase is over.
 */
import type { Scenario, Span, TimedFault } from "../scenario.ts";
import type { World } from "../model.ts";
import type { Random } from "../random.ts";
import { between, chance, pickWeighted, stream } from "../random.ts";
import { narrate } from "../trace/trace.ts";
import { lieInWait } from "./ambush.ts";
import { noteFault } from "../film/fault.ts";
import { later } from "./later.ts";
import { strike } from "./strike.ts";

/** How much more often than its scenario says a fault of this seed strikes, in quarters. */
const HASTE: readonly (readonly [weight: number, quarters: number])[] = [
  [2, 2],
  [4, 4],
  [2, 8],
  [1, 24],
];

/** A fault that is under way, and how to end it. */
export interface Struck {
  readonly text: string;
  /** Undefined where it ends by itself. */
  readonly end: (() => void) | undefined;
}

/** Schedules the faults of this seed. They strike until the world leaves the safety phase. */
export function unleash(world: World, scenario: Scenario): readonly string[] {
  const chosen: string[] = [];
  scenario.faults.forEach((fault, i) => {
    const random = stream(world.streams, `fault ${i} ${fault.type}`);
    const present = chance(random, fault.chance);
    const quarters = pickWeighted(random, HASTE);
    if (!present) return;
    chosen.push(fault.type);
    if (fault.type === "ambush") lieInWait(world, fault, random);
    else plan(world, fault, quarters, random);
  });
  return chosen;
}

/** Schedules the next strike of one fault, which schedules the one after it. */
function plan(world: World, fault: TimedFault, quarters: number, random: Random): void {
  const waitUs = Math.max(1000, Math.floor((drawUs(fault.every, random) * 4) / quarters));
  later(world, waitUs, fault.type, () => {
    const lastsUs = drawUs(fault.lasts, random);
    const struck = strike(world, fault, lastsUs, random);
    if (struck !== undefined) {
      narrate(world.trace, world.timeUs, "fault", struck.text);
      noteFault(world, fault.type, struck.text, lastsUs);
      const { end } = struck;
      if (end !== undefined) later(world, lastsUs, `end of ${fault.type}`, end);
    }
    plan(world, fault, quarters, random);
  });
}

const drawUs = (span: Span, random: Random): number => between(random, span[0], span[1]) * 1000;
