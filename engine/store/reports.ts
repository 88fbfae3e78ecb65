/**
 * What the store tells the placement driver, and what it is told to do in return.
 */
import type { PeerId, RegionId } from "../base/ids.ts";
import { ConfChangeType } from "../protocol/gen/eraftpb.ts";
import { type Peer, PeerRole } from "../protocol/gen/metapb.ts";
import {
  type ChangePeer,
  GetRegionByIDRequest,
  type GetRegionResponse,
  PeerStats,
  RegionHeartbeatRequest,
  type RegionHeartbeatResponse,
  StoreHeartbeatRequest,
  StoreStats,
  TimeInterval,
} from "../protocol/gen/pdpb.ts";
import { firstIndex, isLeader, progress, quorumActive, term } from "../raft/query.ts";
import { epochOf, isInitialized, peerById } from "../region/descriptor.ts";
import { canLeave, destroy } from "../region/destroy.ts";
import { drive } from "../region/drive.ts";
import { canOrder, configurationChange, type MemberOrder } from "../region/members.ts";
import { type Replica, regionId, withReplica } from "../region/replica.ts";
import { header } from "./header.ts";
import { handOver } from "./transactions/memory.ts";
import { ask, type StoreTurn } from "./turn.ts";

/** Sends what is due. Called at every tick once the store has joined. */
export function report(turn: StoreTurn): void {
  const { config } = turn.before;
  const now = turn.now.monotonicMs;
  const replicas = turn.replicas.all();
  if (now - turn.heartbeatAt >= config.storeHeartbeatMs) {
    turn.heartbeatAt = now;
    reportStore(turn, replicas);
  }
  for (const replica of replicas) {
    if (isLeader(replica.raft)) {
      const due = now - replica.reportedAt >= patience(replica, config.regionHeartbeatMs);
      if (due || turn.news?.has(regionId(replica)) === true) reportRegion(turn, replica);
    } else {
      checkMembership(turn, replica);
    }
  }
}

/** Tells at once of regions that have changed in this step. */
export function reportNews(turn: StoreTurn): void {
  if (turn.news === undefined) return;
  for (const region of turn.news) {
    const replica = turn.replicas.get(region);
    if (replica !== undefined && isInitialized(replica.region) && isLeader(replica.raft)) {
      reportRegion(turn, replica);
    }
  }
}

/** A region with a learner waits for the order to promote it, so it reports more often. */
function patience({ region }: Replica, usualMs: number): number {
  const isGrowing = region.peers.some(({ role }) => role === PeerRole.Learner);
  return isGrowing ? usualMs / 10 : usualMs;
}

function reportStore(turn: StoreTurn, replicas: readonly Replica[]): void {
  const capacity = turn.before.config.capacityBytes;
  const seconds = Math.floor(turn.now.wallMs / 1000);
  ask(
    turn,
    { type: "store_heartbeat" },
    {
      method: "StoreHeartbeat",
      request: StoreHeartbeatRequest.make({
        header: header(turn),
        stats: StoreStats.make({
          storeId: turn.store,
          capacity,
          available: capacity,
          regionCount: replicas.length,
          sendingSnapCount: replicas.reduce((sum, { outgoing }) => sum + outgoing.length, 0),
          damagedRegionsId: replicas.filter(({ damaged }) => damaged !== undefined).map(regionId),
          receivingSnapCount: replicas.filter(({ incoming }) => incoming !== undefined).length,
          startTime: turn.before.startedSeconds,
          interval: TimeInterval.make({ startTimestamp: seconds, endTimestamp: seconds }),
        }),
      }),
    },
  );
}

function reportRegion(turn: StoreTurn, replica: Replica): void {
  const region = regionId(replica);
  const waiting = turn.asked.some(
    ({ purpose }) => purpose.type === "region_heartbeat" && purpose.region === region,
  );
  if (waiting) return;
  const now = turn.now.monotonicMs;
  const others = progress(replica.raft);
  const known = (peer: PeerId): readonly Peer[] => {
    const found = peerById(replica.region, peer);
    return found === undefined ? [] : [found];
  };
  ask(
    turn,
    { type: "region_heartbeat", region },
    {
      method: "RegionHeartbeat",
      request: RegionHeartbeatRequest.make({
        header: header(turn),
        region: replica.region,
        leader: replica.peer,
        term: term(replica.raft),
        downPeers: others
          .filter(({ heardMs }) => now - heardMs > turn.config.downAfterMs)
          .flatMap(({ peer, heardMs }) =>
            known(peer).map((found) =>
              PeerStats.make({ peer: found, downSeconds: Math.floor((now - heardMs) / 1000) }),
            ),
          ),
        // A peer whose next entry is no longer in the log needs a snapshot first, as does one that
        // has lost its data.
        pendingPeers: others
          .filter(
            ({ matched, lackingMs }) =>
              matched + 1 < firstIndex(replica.raft) ||
              now - lackingMs < turn.config.raft.electionMs,
          )
          .flatMap(({ peer }) => known(peer)),
      }),
    },
  );
  // Without check-quorum a leader may lead nobody for ever, its group having gone on without it.
  if (!quorumActive(replica.raft, now)) askMembership(turn, region);
  turn.replicas.put(withReplica(replica, { reportedAt: now }));
}

/**
 * Does what the placement driver orders a region's leader to do, if the region is still as it knew
 * it.
 */
export function onRegionOrders(
  turn: StoreTurn,
  region: RegionId,
  orders: RegionHeartbeatResponse,
): void {
  const replica = turn.replicas.get(region);
  if (replica === undefined || !isLeader(replica.raft)) return;
  const { confVer, version } = epochOf(replica.region);
  const meant = orders.regionEpoch;
  if (meant === undefined || meant.confVer !== confVer || meant.version !== version) return;
  const target = orders.transferLeader?.peer;
  if (target !== undefined) {
    const ready = handOver(turn, replica);
    if (ready !== undefined) {
      drive(turn, ready, { type: "transfer_leader", to: target.id as PeerId });
    }
    return;
  }
  const changes = orders.changePeerV2?.changes ?? toList(orders.changePeer);
  const members = changes.flatMap(memberOrder);
  if (members.length === 0 || !canOrder(replica.region, members)) return;
  const acquainted = withReplica(replica, {
    acquaintances: [...replica.acquaintances, ...members.map(({ peer }) => peer)],
  });
  const change = configurationChange(turn, acquainted, members);
  drive(turn, acquainted, { type: "propose_change", change });
}

const toList = <T>(item: T | undefined): readonly T[] => (item === undefined ? [] : [item]);

function memberOrder({ peer, changeType }: ChangePeer): readonly MemberOrder[] {
  if (peer === undefined) return [];
  switch (changeType) {
    case ConfChangeType.AddNode:
      return [{ change: "add_voter", peer }];
    case ConfChangeType.AddLearnerNode:
      return [{ change: "add_learner", peer }];
    case ConfChangeType.RemoveNode:
      return [{ change: "remove", peer }];
    default:
      return [];
  }
}

/**
 * Asks whether a replica that no leader talks to is still a member: it may have missed its removal.
 */
function checkMembership(turn: StoreTurn, replica: Replica): void {
  const region = regionId(replica);
  const now = turn.now.monotonicMs;
  const enough = 5 * turn.config.raft.electionMs;
  const silent = now - Math.max(replica.raft.heardMs, replica.reportedAt) >= enough;
  // Without an epoch there is nothing that the answer could be compared with.
  if (!silent || epochOf(replica.region).confVer === 0) return;
  turn.replicas.put(withReplica(replica, { reportedAt: now }));
  askMembership(turn, region);
}

function askMembership(turn: StoreTurn, region: RegionId): void {
  ask(
    turn,
    { type: "check_membership", region },
    {
      method: "GetRegionByID",
      request: GetRegionByIDRequest.make({ header: header(turn), regionId: region }),
    },
  );
}

export function onMembership(
  turn: StoreTurn,
  region: RegionId,
  { region: current }: GetRegionResponse,
): void {
  const replica = turn.replicas.get(region);
  if (replica === undefined || current === undefined) return;
  const removed = peerById(current, replica.peer.id as PeerId) === undefined;
  const newer = epochOf(current).confVer > epochOf(replica.region).confVer;
  if (!removed) return;
  if (newer) {
    if (canLeave(turn, replica)) destroy(turn, replica, epochOf(current));
  } else if (replica.raft.log.last === 0 && !isInitialized(replica.region)) {
    // The entry that was to add it may have been lost with its leader. Should it come after all,
    // the next message makes the replica anew, with the vote it has given.
    turn.replicas.doze(replica);
  }
}
