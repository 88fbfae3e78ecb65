/**
 * Reads of the past: any replica answers them from what it has, without a word to its leader, at
 * or below the timestamp up to which it knows everything to be settled.
 */
import { EMPTY_KEY } from "../../base/bytes.ts";
import type { LogIndex, RegionId, Ticket } from "../../base/ids.ts";
import { Timestamp } from "../../base/timestamp.ts";
import {
  type CheckLeaderRequest,
  CheckLeaderResponse,
  type LeaderInfo,
  type StoreSafeTSRequest,
  StoreSafeTSResponse,
} from "../../protocol/gen/kvrpcpb.ts";
import { leader, term } from "../../raft/query.ts";
import { epochOf, isInitialized } from "../../region/descriptor.ts";
import { dataIsNotReady, type RegionError } from "../../region/errors.ts";
import type { Replica } from "../../region/replica.ts";
import { reply } from "../../region/turn.ts";
import type { StoreTurn } from "../turn.ts";
import { learn, leastSafeTs, safeTsOf } from "./resolving.ts";

/** Why `replica` can't be read at `version` yet, if it can't. */
export function notReady(
  turn: StoreTurn,
  replica: Replica,
  version: bigint,
): RegionError | undefined {
  const safe = safeTsOf(turn, replica);
  if (version <= safe) return undefined;
  return dataIsNotReady(replica.region.id, replica.peer.id, safe);
}

/**
 * The least timestamp at which the replicas here can be read, of those in the range that can be
 * at all; 0 where there is none.
 */
export function onGetStoreSafeTs(
  turn: StoreTurn,
  ticket: Ticket,
  { keyRange }: StoreSafeTSRequest,
): void {
  const start = keyRange?.startKey ?? EMPTY_KEY;
  const end = keyRange?.endKey ?? EMPTY_KEY;
  const safeTs = leastSafeTs(turn, turn.replicas.overlapping(start, end));
  const response = StoreSafeTSResponse.make({ safeTs });
  reply(turn, ticket, { method: "GetStoreSafeTS", response });
}

/**
 * Another store names regions that it leads; the answer names those where the replica here sees it
 * the same way. What is settled there is learned by the way. Stores of this kind do not ask each
 * other: the lease says more.
 */
export function onCheckLeader(
  turn: StoreTurn,
  ticket: Ticket,
  { regions, ts }: CheckLeaderRequest,
): void {
  const agreed: number[] = [];
  for (const info of regions) {
    const replica = turn.replicas.get(info.regionId as RegionId);
    if (replica === undefined || !agrees(replica, info)) continue;
    agreed.push(info.regionId);
    const { readState } = info;
    if (readState === undefined || readState.safeTs === 0n) continue;
    const { version } = epochOf(replica.region);
    const index = readState.appliedIndex as LogIndex;
    learn(turn, replica, { version, index, ts: Timestamp(readState.safeTs) });
  }
  const response = CheckLeaderResponse.make({ regions: agreed, ts });
  reply(turn, ticket, { method: "CheckLeader", response });
}

function agrees({ region, raft }: Replica, info: LeaderInfo): boolean {
  const { confVer, version } = epochOf(region);
  return (
    isInitialized(region) &&
    leader(raft) === info.peerId &&
    term(raft) === info.term &&
    confVer === info.regionEpoch?.confVer &&
    version === info.regionEpoch.version
  );
}
