/**
 * Why something cannot converge. An excuse is a proof from what was done to the disks of servers
 * and from what the checkers have seen of each group: it names the quorum that is lost, with each
 * member and why it is gone, the committed entry that nobody has any more, or the damaged files.
 * What cannot be proved is not excused. In particular nobody counts as gone who is down, cut off,
 * left out or without his replica for a reason that nobody knows.
 */
import { unreachable } from "../../engine/base/assert.ts";
import { EMPTY_KEY } from "../../engine/base/bytes.ts";
import type { Key } from "../../engine/base/bytes.ts";
import { byKey } from "../../engine/placement/catalog/registry.ts";
import type { Lack } from "../checkers/convergence.ts";
import type { Group } from "../checkers/group.ts";
import type { World } from "../model.ts";
import { lostData } from "./lost-data.ts";
import { lostQuorum } from "./lost-quorum.ts";

/** The excuse in words, or undefined where there is none. */
export function excuseOf(world: World, { of }: Lack): string | undefined {
  switch (of.type) {
    case "group":
      return excuseOfGroup(world, of.group);
    case "range": {
      const region = regionAt(world, of.start) ?? unreportedAt(world, of.start);
      return region === undefined ? undefined : excuseOfGroup(world, region);
    }
    case "server":
    case "clients":
      // A server that loses its disk gets another, and who calls what is lost gives up in time.
      return undefined;
    default:
      return unreachable(of);
  }
}

const excuseOfGroup = (world: World, region: number): string | undefined => {
  const group = world.checks.groups.groups.get(region);
  return group === undefined ? undefined : (lostQuorum(world, group) ?? lostData(world, group));
};

/** The region that a key belongs to, as any member of the placement driver knows it. */
function regionAt(world: World, key: Key): number | undefined {
  for (const { state } of world.members) {
    if (state === undefined) continue;
    const registry = state.leadership?.registry ?? state.catalog.regions;
    const known = byKey(registry, key);
    if (known !== undefined) return known.region.id;
  }
  return undefined;
}

/**
 * The region that a key belonged to when a replica of it was last seen. A region that came from a
 * split may be lost before anybody has told the placement driver of it; of those whose keys these
 * have been, the one with the greatest version came last.
 */
function unreportedAt(world: World, key: Key): number | undefined {
  let newest: Group | undefined;
  for (const group of world.checks.groups.groups.values()) {
    const { range } = group;
    if (range === undefined || key < range.start) continue;
    if (range.end !== EMPTY_KEY && key >= range.end) continue;
    if (range.version > (newest?.range?.version ?? -1)) newest = group;
  }
  return newest?.region;
}
