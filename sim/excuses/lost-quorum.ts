/**
 * A group whose quorum is lost: so many of its voters are gone for good that none of the others
 * finds a majority, each by the configuration that is in force for it. A configuration is in force
 * as soon as it is in a log, so voters may be stuck in one that will never be committed.
 */
import { inForce, isVoter, type Placed } from "../../engine/raft/configuration.ts";
import { quorumValue } from "../../engine/raft/quorum.ts";
import type { Configuration } from "../../engine/raft/types.ts";
import type { Group } from "../checkers/group.ts";
import type { World } from "../model.ts";
import { type Gone, goneFrom, obituaries } from "./gone.ts";

/** The proof in words; undefined where there is none. */
export function lostQuorum(world: World, group: Group): string | undefined {
  const committed = committedConfiguration(group);
  if (committed === undefined) return undefined;
  const gone = goneFrom(world, group);
  let latest = committed;
  let stuck = 0;
  for (const { raft, peer } of group.members.values()) {
    if (raft === undefined || gone.has(peer)) continue;
    const { index, configuration } = inForce(raft.history);
    // Who was removed, and does not know it, cannot win: he lacks what removed him.
    if (index <= lastCommitted(group) && !isVoter(committed, peer)) continue;
    if (!hasLost(gone, configuration)) return undefined;
    latest = configuration;
    stuck += 1;
  }
  if (stuck === 0 && !hasLost(gone, committed)) return undefined;
  const voters = [...new Set([...latest.voters, ...latest.outgoing])];
  const missed = voters.filter((peer) => gone.has(peer));
  const name = group.region === 0 ? "the placement driver" : `region ${group.region}`;
  const count = `${missed.length} of its ${voters.length} voters`;
  const which = obituaries(gone, missed);
  return `${name} has lost its quorum: ${count} are gone, ${which}${lostEntry(group, gone)}`;
}

/** The last committed entry where nobody is left who has it, in words. */
function lostEntry(group: Group, gone: Gone): string {
  const { terms } = group.committed;
  const index = lastCommitted(group);
  const kept = [...group.members.values()].some(
    ({ peer, raft }) => !gone.has(peer) && (raft?.log.last ?? 0) >= index,
  );
  if (kept || terms.length === 0) return "";
  return `; entry ${index} of term ${terms.at(-1)} was committed, and nobody has it any more`;
}

/** Whether those of whom nobody knows that they are gone are no quorum. */
const hasLost = (gone: Gone, configuration: Configuration): boolean =>
  quorumValue(configuration, (peer) => (gone.has(peer) ? 0 : 1)) < 1;

/** The last one that is committed, or the only one that there has been. */
export function committedConfiguration(group: Group): Configuration | undefined {
  const commit = lastCommitted(group);
  let latest: Placed | undefined;
  for (const { raft } of group.members.values()) {
    for (const placed of raft?.history ?? []) {
      if (placed.index <= commit && placed.index >= (latest?.index ?? 0)) latest = placed;
    }
  }
  return latest?.configuration;
}

const lastCommitted = ({ committed: { first, terms } }: Group): number => first + terms.length - 1;
