/**
 * Crashes between two effects of one step: after a message has left and before the write that was
 * to go with it, after a write was given to the disk and before the answer to a client. A trap is
 * laid at a server, and springs at the first step that has such a place.
 */
import { isAlive } from "../machines/inbox.ts";
import type { Machine, World } from "../model.ts";
import { below, between, chance, pick, type Random } from "../random.ts";
import type { Among } from "../scenario.ts";
import type { Struck } from "./strike.ts";
import { machineCalled, machinesOf } from "./targets.ts";

/** Effects behind which a step may be cut short. */
export type Boundary = "send" | "write" | "reply" | "job" | "ask_placement";

/** The process ends behind the effect of this type that `skip` others came before. */
export interface Trap {
  readonly after: Boundary;
  skip: number;
  readonly power: boolean;
  readonly downUs: number;
}

export interface TrapStrike {
  readonly type: "trap";
  readonly machine: string;
  readonly after: Boundary;
  readonly skip: number;
  readonly power: boolean;
  readonly downUs: number;
}

const BOUNDARIES: readonly Boundary[] = ["send", "send", "write", "write", "reply", "job"];

export function drawTrap(world: World, of: Among, random: Random): TrapStrike | undefined {
  const candidates = machinesOf(world, of).filter(isAlive);
  if (candidates.length === 0) return undefined;
  return {
    type: "trap",
    machine: pick(random, candidates).name,
    after: pick(random, BOUNDARIES),
    skip: chance(random, 500_000) ? 0 : below(random, 20),
    power: chance(random, 500_000),
    downUs: between(random, 10_000, 1_500_000),
  };
}

export function layTrap(
  world: World,
  { machine: name, after, skip, power, downUs }: TrapStrike,
): Struck | undefined {
  const machine = machineCalled(world, name);
  if (machine === undefined || !isAlive(machine)) return undefined;
  const trap: Trap = { after, skip, power, downUs };
  machine.trap = trap;
  const end = (): void => {
    if (machine.trap === trap) machine.trap = undefined;
  };
  return { end };
}

/** Whether the process ends behind this effect of a step, which has others left. */
export function springs(machine: Machine, effect: string): boolean {
  const { trap } = machine;
  if (trap?.after !== effect) return false;
  trap.skip -= 1;
  return trap.skip < 0;
}
