/**
 * Changes of a region's members: proposing what the placement driver orders, and applying it.
 */
import { assert } from "../base/assert.ts";
import type { PeerId } from "../base/ids.ts";
import { type Peer, PeerRole, Region, RegionEpoch } from "../protocol/gen/metapb.ts";
import { decodeConfigurationEntry } from "../raft/codec.ts";
import type { ConfigurationChange, Entry, MemberChange } from "../raft/types.ts";
import { decodeMemberContext, encodeMemberContext } from "./command.ts";
import { canLeave, destroy } from "./destroy.ts";
import { epochOf, isInitialized, peerById, peerIdOf, peersUnder } from "./descriptor.ts";
import { settle } from "./propose.ts";
import { logCommit } from "./records.ts";
import { type Replica, regionId, withReplica } from "./replica.ts";
import { noteNews, type Turn } from "./turn.ts";

/**
 * A change as the placement driver orders it: the peer with its store, and the role it shall have.
 */
export interface MemberOrder {
  readonly change: MemberChange["type"];
  readonly peer: Peer;
}

/**
 * Whether the region's descriptor can say what `orders` make of it on their way. Several changes at
 * once lead through a joint configuration, which it shows by the roles of its peers: a voter that
 * is to go must become a learner first, and some voter must change. TiKV refuses the same.
 */
export function canOrder(region: Region, orders: readonly MemberOrder[]): boolean {
  if (orders.length < 2) return true;
  const isVoter = ({ peer }: MemberOrder): boolean =>
    peerById(region, peerIdOf(peer))?.role === PeerRole.Voter;
  if (orders.some((order) => order.change === "remove" && isVoter(order))) return false;
  return orders.some((order) => order.change === "add_voter" || isVoter(order));
}

/** The proposal that carries out `orders` on the region as it is now. */
export function configurationChange(
  turn: Turn,
  replica: Replica,
  orders: readonly MemberOrder[],
): ConfigurationChange {
  return {
    changes: orders.map(({ change, peer }) => ({ type: change, peer: peerIdOf(peer) })),
    context: encodeMemberContext(
      { confVer: epochOf(replica.region).confVer, peers: orders.map(({ peer }) => peer) },
      turn.wire,
    ),
  };
}

/**
 * Applies a configuration entry: the region's peers and its `conf_ver` follow the new
 * configuration.
 */
export function applyMembers(turn: Turn, replica: Replica, entry: Entry): Replica | undefined {
  const decoded = decodeConfigurationEntry(entry.data, turn.wire);
  assert(decoded !== undefined, "a configuration entry is well formed");
  const { change, configuration } = decoded;
  // Leaving a joint configuration is proposed by Raft itself, and names nobody new.
  const named =
    change.context.length === 0 ? [] : decodeMemberContext(change.context, turn.wire).peers;
  const known = [...replica.region.peers];
  for (const peer of named) {
    if (!known.some((other) => other.id === peer.id)) known.push(peer);
  }
  const epoch = epochOf(replica.region);
  const region = Region.make({
    ...replica.region,
    peers: peersUnder(configuration, known),
    regionEpoch: RegionEpoch.make({
      ...epoch,
      confVer: epoch.confVer + changedMembers(replica.region, change.changes),
    }),
  });
  noteNews(turn, regionId(replica));
  const pending = settle(turn, replica.pending, entry, undefined);
  const changed = withReplica(replica, { region, configuration, pending });
  const self = peerById(region, replica.peer.id as PeerId);
  if (self !== undefined) return withReplica(changed, { peer: self });
  // It stays as a stranger until it may go; see `isStranger`.
  if (!canLeave(turn, changed)) return changed;
  // Durable before the tombstone: what was applied up to here belongs to others too.
  logCommit(turn, changed);
  destroy(turn, changed, epochOf(region));
  return undefined;
}

/** Whether the replica has applied its own removal. */
export const isStranger = ({ region, peer }: Replica): boolean =>
  isInitialized(region) && peerById(region, peer.id as PeerId) === undefined;

/**
 * How much `conf_ver` grows: by the number of members whose role changes (TiKV counts the same).
 */
function changedMembers(region: Region, changes: readonly MemberChange[]): number {
  if (changes.length > 0) return changes.length;
  return region.peers.filter(
    ({ role }) => role === PeerRole.IncomingVoter || role === PeerRole.DemotingVoter,
  ).length;
}
