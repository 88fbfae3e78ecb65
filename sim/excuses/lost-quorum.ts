/**
 * A group whose quorum is lost: so many of its voters are gone for good that none of the others
 * finds a majority, each by the configuration that is in force for it. A configuration is in force
 * as soon as it is in a log, so voters may be stuck in one that will never be committed.
 */
import type { PeerId } from "../../engine/base/ids.ts";
import { inForce, isVoter, type Placed } from "../../engine/raft/configuration.ts";
import { quorumValue } from "../../engine/raft/quorum.ts";
import type { Configuration } from "../../engine/raft/types.ts";
import type { Group, Member } from "../checkers/group.ts";
import { goneBecause, obituaries } from "./gone.ts";

/** The proof in words; undefined where there is none. */
export function lostQuorum(group: Group): string | undefined {
  const committed = committedConfiguration(group);
  if (committed === undefined) return undefined;
  let latest = committed;
  let stuck = 0;
  for (const member of group.members.values()) {
    const { raft, peer } = member;
    if (raft === undefined || goneBecause(member) !== undefined) continue;
    const { index, configuration } = inForce(raft.history);
    // Who was removed, and does not know it, cannot win: he lacks what removed him.
    if (index <= lastCommitted(group) && !isVoter(committed, peer)) continue;
    if (!hasLost(group, configuration)) return undefined;
    latest = configuration;
    stuck += 1;
  }
  if (stuck === 0 && !hasLost(group, committed)) return undefined;
  const voters = [...new Set([...latest.voters, ...latest.outgoing])];
  const gone = voters.flatMap((peer) => goneMember(group, peer) ?? []);
  const name = group.region === 0 ? "the placement driver" : `region ${group.region}`;
  const count = `${gone.length} of its ${voters.length} voters`;
  return `${name} has lost its quorum: ${count} are gone, ${obituaries(group, gone)}${lostEntry(group)}`;
}

/** The last committed entry where nobody is left who has it, in words. */
function lostEntry(group: Group): string {
  const { terms } = group.committed;
  const index = lastCommitted(group);
  const kept = [...group.members.values()].some(
    (member) => goneBecause(member) === undefined && (member.raft?.log.last ?? 0) >= index,
  );
  if (kept || terms.length === 0) return "";
  return `; entry ${index} of term ${terms.at(-1)} was committed, and nobody has it any more`;
}

/** Whether those of whom nobody knows that they are gone are no quorum. */
const hasLost = (group: Group, configuration: Configuration): boolean =>
  quorumValue(configuration, (peer) => (goneMember(group, peer) === undefined ? 1 : 0)) < 1;

function goneMember(group: Group, peer: PeerId): Member | undefined {
  const member = group.members.get(peer);
  return member !== undefined && goneBecause(member) !== undefined ? member : undefined;
}

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
