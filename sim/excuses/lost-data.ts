/**
 * A group that has voters, but whose data nobody has whole: each member is gone, waits for its
 * first data, or has a damaged file that the run itself has damaged.
 */
import { members } from "../../engine/raft/configuration.ts";
import { isInitialized } from "../../engine/region/descriptor.ts";
import type { Replica } from "../../engine/region/replica.ts";
import type { Group } from "../checkers/group.ts";
import { placedReplicas } from "../checkers/look.ts";
import type { StoreMachine, World } from "../model.ts";
import { goneFrom, obituaries } from "./gone.ts";
import { committedConfiguration } from "./lost-quorum.ts";

/** The proof in words; undefined where there is none. */
export function lostData(world: World, group: Group): string | undefined {
  const committed = committedConfiguration(group);
  if (committed === undefined) return undefined;
  const placed = placedReplicas(world).get(group.region) ?? [];
  const gone = goneFrom(world, group);
  const damaged: string[] = [];
  for (const peer of members(committed)) {
    if (gone.has(peer)) continue;
    const here = placed.find(({ replica }) => replica.peer.id === peer);
    if (here === undefined || here.replica.incoming !== undefined) return undefined;
    if (!isInitialized(here.replica.region)) continue;
    const file = lostFile(here.machine, here.replica);
    if (file === undefined) return undefined;
    damaged.push(`${file} of peer ${peer} on ${here.machine.name}`);
  }
  if (damaged.length === 0) return undefined;
  const files = damaged.join(", ");
  const rest = gone.size === 0 ? "" : `; gone are ${obituaries(gone, members(committed))}`;
  return `nobody has the data of region ${group.region} whole: damaged are ${files}${rest}`;
}

/** The files for which the replica is out of service, where the run has damaged them. */
function lostFile({ disk }: StoreMachine, { damaged }: Replica): string | undefined {
  if (damaged === undefined) return undefined;
  const files = disk.damaged();
  if (files.includes(damaged.file)) return damaged.file;
  // A store that has been started again knows that there was damage, and no more where.
  return damaged.file === "" && files.length > 0 ? files.join(", ") : undefined;
}
