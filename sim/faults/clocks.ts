/** Faults of clocks: a wrong rate, steps of the wall clock, a wall clock that stands still. */
import type { World } from "../model.ts";
import type { Random } from "../random.ts";
import type { Struck } from "./strike.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { freezeWall, setDrift, stepWall, thawWall } from "../clock/clock.ts";
import { MAX_DRIFT } from "../knobs.ts";
import { between, chance, pick } from "../random.ts";
import { machineCalled } from "./targets.ts";

export type ClockStrike =
  | { readonly type: "clock_drift"; readonly machine: string; readonly millionths: number }
  | { readonly type: "clock_step"; readonly machine: string; readonly us: number }
  /** It then runs on from where it stood, or from where it would be. */
  | { readonly type: "clock_freeze"; readonly machine: string; readonly caughtUp: boolean };

export function drawClock(world: World, type: ClockStrike["type"], random: Random): ClockStrike {
  const machine = pick(random, world.servers).name;
  switch (type) {
    case "clock_drift":
      return { type, machine, millionths: between(random, -MAX_DRIFT, MAX_DRIFT) };
    case "clock_step": {
      // Mostly seconds, as a wrong time server makes them; now and then hours.
      const farUs = chance(random, 200_000) ? 2_000_000_000 : 10_000_000;
      return { type, machine, us: between(random, -farUs, farUs) };
    }
    case "clock_freeze":
      return { type, machine, caughtUp: chance(random, 500_000) };
    default:
      return unreachable(type);
  }
}

export function disturbClock(world: World, strike: ClockStrike): Struck | undefined {
  const machine = machineCalled(world, strike.machine);
  if (machine === undefined) return undefined;
  const { clock } = machine;
  switch (strike.type) {
    case "clock_drift":
      setDrift(clock, world.timeUs, strike.millionths);
      return { end: undefined };
    case "clock_step":
      stepWall(clock, strike.us);
      return { end: undefined };
    case "clock_freeze":
      freezeWall(clock, world.timeUs);
      return { end: () => thawWall(clock, world.timeUs, strike.caughtUp) };
    default:
      return unreachable(strike);
  }
}
