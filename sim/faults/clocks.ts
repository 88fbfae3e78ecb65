/** Faults of clocks: a wrong rate, steps of the wall clock, a wall clock that stands still. */
import type { World } from "../model.ts";
import type { Random } from "../random.ts";
import type { Struck } from "./nemesis.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { freezeWall, setDrift, stepWall, thawWall } from "../clock/clock.ts";
import { MAX_DRIFT } from "../knobs.ts";
import { between, chance, pick } from "../random.ts";
import { seconds } from "../trace/trace.ts";

export function disturbClock(
  world: World,
  type: "clock_drift" | "clock_step" | "clock_freeze",
  lastsUs: number,
  random: Random,
): Struck {
  const machine = pick(random, world.servers);
  const { clock, name } = machine;
  switch (type) {
    case "clock_drift": {
      const drift = between(random, -MAX_DRIFT, MAX_DRIFT);
      setDrift(clock, world.timeUs, drift);
      const rate = `${drift < 0 ? "slow" : "fast"} by ${Math.abs(drift) / 10_000} %`;
      return { text: `the clocks of ${name} run ${rate}`, end: undefined };
    }
    case "clock_step": {
      // Mostly seconds, as a wrong time server makes them; now and then hours.
      const farUs = chance(random, 200_000) ? 2_000_000_000 : 10_000_000;
      const delta = between(random, -farUs, farUs);
      stepWall(clock, delta);
      return { text: `the wall clock of ${name} steps by ${seconds(delta)}`, end: undefined };
    }
    case "clock_freeze": {
      freezeWall(clock, world.timeUs);
      const caughtUp = chance(random, 500_000);
      return {
        text: `the wall clock of ${name} stands still for ${seconds(lastsUs)}`,
        end: () => thawWall(clock, world.timeUs, caughtUp),
      };
    }
    default:
      return unreachable(type);
  }
}
