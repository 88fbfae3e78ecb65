/**
 * A group that has voters, but whose data nobody has whole: each member is gone, waits for its
 * first data, or has a damaged file that the run itself has damaged.
 */
import { members } from "../../engine/raft/configuration.ts";
import { isInitialized } from "../../engine/region/descriptor.ts";
import type { Replica } from "../../engine/region/replica.ts";
import { type Group, type Member, nameOf } from "../checkers/group.ts";
import { placedReplicas } from "../checkers/look.ts";
import type { StoreMachine, World } from "../model.ts";
import { goneBecause, obituaries } from "./gone.ts";
import { committedConfiguration } from "./lost-quorum.ts";

/** The proof in words; undefined where there is none. */
export function lostData(world: World, group: Group): string | undefined {
  const placed = placedReplicas(world).get(group.region) ?? [];
  const gone: Member[] = [];
  const damaged: string[] = [];
  const committed = committedConfiguration(group);
  for (const peer of committed === undefined ? [] : members(committed)) {
    const member = group.members.get(peer);
    if (member === undefined) return undefined;
    const here = placed.find(({ replica }) => replica.peer.id === peer);
    if (goneBecause(member) !== undefined) gone.push(member);
    else if (here === undefined) return undefined;
    else if (here.replica.incoming !== undefined) return undefined;
    else if (isInitialized(here.replica.region)) {
      const file = lostFile(here.machine, here.replica);
      if (file === undefined) return undefined;
      damaged.push(`${file} of ${nameOf(group, member)}`);
    }
  }
  if (damaged.length === 0) return undefined;
  const rest = gone.length === 0 ? "" : `; gone are ${obituaries(group, gone)}`;
  return `nobody has the data of region ${group.region} whole: damaged are ${damaged.join(", ")}${rest}`;
}

/** The file for which the replica is out of service, where the run has damaged it. */
function lostFile({ disk }: StoreMachine, { damaged }: Replica): string | undefined {
  if (damaged === undefined || !disk.damaged().includes(damaged.file)) return undefined;
  return damaged.file;
}
