/**
 * Region descriptors as the protocol has them, and the few things done with them. A descriptor is
 * the applied one: it changes only when an entry that changes it is applied.
 */
import { assert } from "../base/assert.ts";
import { EMPTY_KEY, inRange, type Key } from "../base/bytes.ts";
import type { PeerId, RegionId, StoreId } from "../base/ids.ts";
import { Peer, PeerRole, Region, RegionEpoch } from "../protocol/gen/metapb.ts";
import type { Configuration } from "../raft/types.ts";

export const idOf = (region: Region): RegionId => region.id as RegionId;
export const peerIdOf = (peer: Peer): PeerId => peer.id as PeerId;
export const storeIdOf = (peer: Peer): StoreId => peer.storeId as StoreId;

/** The descriptor's epoch, which every region has. */
export function epochOf(region: Region): RegionEpoch {
  assert(region.regionEpoch !== undefined, "a region has an epoch");
  return region.regionEpoch;
}

/** A region that this store has heard of, but whose range and members it does not know yet. */
export const unknownRegion = (id: RegionId): Region =>
  Region.make({ id, regionEpoch: RegionEpoch.make({ confVer: 0, version: 0 }) });

export const isInitialized = (region: Region): boolean => region.peers.length > 0;

export const containsKey = (region: Region, key: Key): boolean =>
  inRange(key, region.startKey, region.endKey);

interface Range {
  readonly startKey: Key;
  readonly endKey: Key;
}

/** Whether two ranges share a key. */
export const overlaps = (a: Range, b: Range): boolean =>
  (a.endKey === EMPTY_KEY || b.startKey < a.endKey) &&
  (b.endKey === EMPTY_KEY || a.startKey < b.endKey);

export const peerById = (region: Region, id: PeerId): Peer | undefined =>
  region.peers.find((peer) => peer.id === id);

/** Whether `epoch` misses a change of members or of range that `region` has seen. */
export function isStale(
  epoch: { readonly confVer: number; readonly version: number },
  region: Region,
): boolean {
  const current = epochOf(region);
  return epoch.version < current.version || epoch.confVer < current.confVer;
}

/** The Raft configuration in which all peers of a region have their roles. */
export function configurationOf(region: Region): Configuration {
  const withRole = (...roles: readonly number[]): PeerId[] =>
    region.peers
      .filter((peer) => roles.includes(peer.role))
      .map(peerIdOf)
      .sort((a, b) => a - b);
  const joint = region.peers.some(
    (peer) => peer.role === PeerRole.IncomingVoter || peer.role === PeerRole.DemotingVoter,
  );
  return {
    voters: withRole(PeerRole.Voter, PeerRole.IncomingVoter),
    outgoing: joint ? withRole(PeerRole.Voter, PeerRole.DemotingVoter) : [],
    learners: withRole(PeerRole.Learner),
    learnersNext: withRole(PeerRole.DemotingVoter),
    autoLeave: joint,
  };
}

/**
 * The peers under `configuration`; `known` supplies their stores. A voter of only one half of a
 * joint configuration is "incoming" or "demoting", as TiKV names them.
 */
export function peersUnder(configuration: Configuration, known: readonly Peer[]): readonly Peer[] {
  const peers: Peer[] = [];
  for (const peer of known) {
    const role = roleUnder(configuration, peerIdOf(peer));
    if (role !== undefined) peers.push(Peer.make({ ...peer, role }));
  }
  return peers;
}

function roleUnder(configuration: Configuration, id: PeerId): number | undefined {
  const incoming = configuration.voters.includes(id);
  const outgoing = configuration.outgoing.includes(id);
  const joint = configuration.outgoing.length > 0;
  if (incoming) return joint && !outgoing ? PeerRole.IncomingVoter : PeerRole.Voter;
  if (outgoing) return PeerRole.DemotingVoter;
  return configuration.learners.includes(id) ? PeerRole.Learner : undefined;
}
