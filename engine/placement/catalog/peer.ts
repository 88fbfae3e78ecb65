/** What the role of a peer means for scheduling. */
import { PeerRole } from "../../protocol/gen/metapb.ts";
import type { Peer } from "../../protocol/gen/metapb.ts";

export const isVoter = (peer: Peer): boolean => peer.role === PeerRole.Voter;
export const isLearner = (peer: Peer): boolean => peer.role === PeerRole.Learner;

/**
 * Whether the peer shows that its region is within a joint configuration, which its leader leaves
 * by itself.
 */
export const isJoint = (peer: Peer): boolean => !isVoter(peer) && !isLearner(peer);
