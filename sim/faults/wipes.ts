/**
 * A store loses its disk for good: whoever ran it puts an empty one in, and what starts is a new
 * store at a new address. Its replicas are gone; the placement driver has to make others in their
 * place. Within the atlas each region keeps a majority of whole copies without it; beyond, data
 * may be lost, and the run must then be able to say which (`excuses/excuse.ts`).
 */
import { keepsQuorums } from "../liveness/core.ts";
import { isAlive } from "../machines/inbox.ts";
import { loseDisk, startLater } from "../machines/process.ts";
import type { StoreMachine, World } from "../model.ts";
import { pick, type Random } from "../random.ts";
import type { Struck } from "./strike.ts";
import { storeCalled } from "./targets.ts";

export interface Wipe {
  readonly type: "wipe";
  readonly machine: string;
  /** Whatever is lost by it; else only where the atlas lets it be. */
  readonly regardless: boolean;
}

export function drawWipe(world: World, regardless: boolean, random: Random): Wipe | undefined {
  const candidates = wipeable(world, regardless);
  if (candidates.length === 0) return undefined;
  return { type: "wipe", machine: pick(random, candidates).name, regardless };
}

/** It is back, empty, after `lastsUs`. */
export function wipe(world: World, strike: Wipe, lastsUs: number): Struck | undefined {
  const machine = storeCalled(world, strike.machine);
  if (machine === undefined || !wipeable(world, strike.regardless).includes(machine)) {
    return undefined;
  }
  loseDisk(world, machine);
  startLater(world, machine, lastsUs);
  return { end: undefined };
}

/** Whose disk may be lost. */
export const wipeable = (world: World, regardless: boolean): readonly StoreMachine[] =>
  world.stores.filter(
    (machine) => isAlive(machine) && (regardless || keepsQuorums(world, new Set([machine]))),
  );
