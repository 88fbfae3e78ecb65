/**
 * Faults that wait for a leader to hand over. The heir stands still before it can stand for
 * election, for longer than the leader waits for it; and when it goes on, the leader, who reads by
 * its lease again by then, mostly stands still in turn and learns late of what its heir does.
 */
import type { Machine, World } from "../model.ts";
import type { Fault } from "../scenario.ts";
import { drawsOf } from "../decisions/decisions.ts";
import { isAlive } from "../machines/inbox.ts";
import { between, chance, type Random } from "../random.ts";
import { later } from "./later.ts";
import { deal } from "./strike.ts";

type Detention = Extract<Fault, { type: "detain" }>;

/** A leader that stands still does so for a little before its heir goes on, and after. */
const BEFORE_MS = { least: 1, most: 200 };
const AFTER_MS = { least: 10, most: 1000 };

/** From now on detains members that are told to lead. */
export function lieInWaitForHeirs(world: World, fault: Detention, name: string): void {
  /** By machine, how often it was to lead. */
  const told = new Map<Machine, number>();
  world.heirWatchers.push((leader, heir) => {
    const nth = (told.get(heir) ?? 0) + 1;
    told.set(heir, nth);
    const decision = `${name}/${heir.name}/${nth}`;
    const random = drawsOf(world.decisions, decision);
    const delayUs = between(random, fault.every[0], fault.every[1]) * 1000;
    later(world, delayUs, "detention", () => detain(world, fault, decision, leader, heir, random));
  });
}

function detain(
  world: World,
  { lasts }: Detention,
  decision: string,
  leader: Machine,
  heir: Machine,
  random: Random,
): void {
  if (!isAlive(heir) || world.phase !== "safety") return;
  const lastsUs = between(random, lasts[0], lasts[1]) * 1000;
  const beforeUs = between(random, BEFORE_MS.least, BEFORE_MS.most) * 1000;
  const afterUs = between(random, AFTER_MS.least, AFTER_MS.most) * 1000;
  const alsoLeader = chance(random, 800_000);
  if (!deal(world, decision, { type: "pause", machine: heir.name }, lastsUs) || !alsoLeader) return;
  later(world, Math.max(0, lastsUs - beforeUs), "detention of the leader", () => {
    if (!isAlive(leader)) return;
    const strike = { type: "pause", machine: leader.name } as const;
    deal(world, `${decision}/leader`, strike, beforeUs + afterUs);
  });
}
