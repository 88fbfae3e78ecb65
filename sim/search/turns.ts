/**
 * Turns: from a moment on everything is drawn from another seed. What came before is the same, so a
 * run that came to a rare place can be sent from there to many ends.
 */
import { isDrawn } from "../decisions/decisions.ts";
import { reseedDisk } from "../disk/luck.ts";
import { later } from "../faults/later.ts";
import type { World } from "../model.ts";
import { reseedLanes } from "../network/lanes.ts";

export interface Turn {
  readonly atUs: number;
  readonly seed: number;
}

export function takeTurns(world: World, turns: readonly Turn[]): void {
  for (const [i, { atUs, seed }] of turns.entries()) {
    if (!isDrawn(world.decisions, `search/turn/${i + 1}`)) continue;
    later(world, atUs, "turn", () => turn(world, seed));
  }
}

function turn(world: World, seed: number): void {
  world.decisions.seed = `${world.decisions.seed}/turn/${seed}`;
  reseedLanes(world.network.lanes);
  for (const { diskLuck } of world.servers) reseedDisk(diskLuck);
}
