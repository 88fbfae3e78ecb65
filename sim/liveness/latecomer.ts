/**
 * Somebody comes back late: in some seeds one of those who are to recover stays cut off for several
 * election timeouts when everything else is healed. The others go on without it or wait for it. It
 * may have stood for election all the while, so a group that never was in trouble meets a member of
 * a later term; neither may leave the other behind.
 */
import { drawsOf, isDrawn } from "../decisions/decisions.ts";
import type { Machine, World } from "../model.ts";
import { cut, mend } from "../network/network.ts";
import type { Link } from "../network/topology.ts";
import { between, chance, pick } from "../random.ts";
import { narrate, seconds } from "../trace/trace.ts";
import { runUntil } from "../world.ts";
import type { LeftOut } from "./core.ts";

export interface Latecomer {
  readonly machine: Machine;
  readonly lateUs: number;
}

/** Of seeds in which somebody comes late, in millionths. */
const LATE = 300_000;

/** By how many election timeouts, at least and at most. */
const TIMEOUTS = [2, 8] as const;

/** Who comes late in this seed: decision `liveness/late`. */
export function drawLatecomer(world: World, leftOut: LeftOut): Latecomer | undefined {
  const { decisions, servers, knobs } = world;
  const random = drawsOf(decisions, "liveness/late");
  if (!isDrawn(decisions, "liveness/late") || !chance(random, LATE)) return undefined;
  const core = servers.filter((machine) => !leftOut.has(machine));
  if (core.length < 2) return undefined;
  const timeouts = between(random, TIMEOUTS[0], TIMEOUTS[1]);
  return { machine: pick(random, core), lateUs: timeouts * knobs.electionMs * 1000 };
}

/** Goes on until it is back. */
export async function wait(world: World, { machine, lateUs }: Latecomer): Promise<void> {
  const others = world.servers.filter((other) => other !== machine && !world.leftOut.has(other));
  const links = others.flatMap(({ node }): Link[] => [
    [node, machine.node],
    [machine.node, node],
  ]);
  const text = `${machine.name} stays cut off for another ${seconds(lateUs)}`;
  narrate(world.trace, world.timeUs, "phase", text);
  cut(world.network, links);
  await runUntil(world, world.timeUs + lateUs);
  mend(world.network, links);
}
