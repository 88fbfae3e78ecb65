/**
 * The checks that decide whether this store may serve a call: cluster, store, region, peer, epoch,
 * term and leadership, with the answers that tell a client where to go.
 */
import type { RegionId, Ticket } from "../base/ids.ts";
import type { Context } from "../protocol/gen/kvrpcpb.ts";
import type { TikvCall } from "../protocol/services.ts";
import { committed, isLeader, leader, term } from "../raft/query.ts";
import { epochOf, isInitialized, peerById } from "../region/descriptor.ts";
import {
  diskFull,
  epochNotMatch,
  mismatchPeerId,
  notLeader,
  type RegionError,
  regionErrorReply,
  regionNotFound,
  regionNotInitialized,
  serverIsBusy,
  staleCommand,
  storeNotMatch,
} from "../region/errors.ts";
import { closedFor } from "../region/flashback.ts";
import type { Replica } from "../region/replica.ts";
import { reply } from "../region/turn.ts";
import type { StoreTurn } from "./turn.ts";

const INVALID_ARGUMENT = 3;
const UNAVAILABLE = 14;

/**
 * The replica that may serve the call, or undefined where the call has been answered with the
 * reason why none may. `byLeader`: only the leader may.
 */
export function admit(
  turn: StoreTurn,
  ticket: Ticket,
  call: TikvCall,
  context: Context | undefined,
  byLeader: boolean,
): Replica | undefined {
  const { identity } = turn;
  if (identity === undefined || !turn.opened) {
    refuse(turn, ticket, UNAVAILABLE, "the store is starting");
    return undefined;
  }
  if (context === undefined) {
    refuse(turn, ticket, INVALID_ARGUMENT, "the request has no context");
    return undefined;
  }
  if (context.clusterId !== 0n && context.clusterId !== identity.cluster) {
    const text = `the request is for cluster ${context.clusterId}, this is ${identity.cluster}`;
    refuse(turn, ticket, INVALID_ARGUMENT, text);
    return undefined;
  }
  if (context.apiVersion !== 0) {
    const text = `api version ${context.apiVersion} in the request does not match the store's, V1`;
    refuse(turn, ticket, INVALID_ARGUMENT, text);
    return undefined;
  }
  const replica = turn.replicas.get(context.regionId as RegionId);
  const closed = replica === undefined ? undefined : closedFor(replica, call);
  const error = misdirected(turn, replica, context, byLeader) ?? closed;
  if (error === undefined) return replica;
  answerError(turn, ticket, call, error);
  return undefined;
}

/** Why `replica` can't serve a call with this context, if it can't. */
export function misdirected(
  turn: StoreTurn,
  replica: Replica | undefined,
  context: Context,
  byLeader: boolean,
): RegionError | undefined {
  const asked = context.peer?.storeId ?? 0;
  if (asked !== 0 && asked !== turn.store) return storeNotMatch(asked, turn.store);
  if (turn.trouble !== undefined) return troubled(turn);
  // Whoever holds it whole may serve it: the client asks the placement driver again.
  if (replica === undefined || replica.damaged !== undefined) {
    return regionNotFound(context.regionId);
  }
  const peer = context.peer?.id ?? 0;
  if (peer !== 0 && peer !== replica.peer.id) return mismatchPeerId(peer, replica.peer.id);
  if (!isInitialized(replica.region)) return regionNotInitialized(context.regionId);
  if (byLeader && !isLeader(replica.raft)) return notLeader(context.regionId, leaderOf(replica));
  // A term one behind may have met a leader that has just been elected.
  if (context.term !== 0 && context.term + 1 < term(replica.raft)) return staleCommand();
  if (context.regionEpoch?.version !== epochOf(replica.region).version) {
    return epochNotMatch(currentRegions(turn, replica, context));
  }
  return undefined;
}

/** What the disk's refusal means for clients. */
function troubled(turn: StoreTurn): RegionError {
  return turn.trouble?.reason === "no_space"
    ? diskFull(turn.store, `no space for ${turn.trouble.file}`)
    : serverIsBusy(`the disk has failed at ${turn.trouble?.file ?? "start"}`, 1000);
}

function leaderOf(replica: Replica): ReturnType<typeof peerById> {
  const id = leader(replica.raft);
  return id === undefined ? undefined : peerById(replica.region, id);
}

/** The region as it is, and its neighbour that a split may have moved the caller's key to. */
function currentRegions(
  turn: StoreTurn,
  { region }: Replica,
  context: Context,
): readonly Replica["region"][] {
  const version = context.regionEpoch?.version ?? 0;
  const splits = epochOf(region).version - version;
  if (splits <= 0) return [region];
  const siblings: Replica["region"][] = [];
  let left = region;
  // New regions lie to the left of the one they were split from.
  for (let i = 0; i < splits && left.startKey !== ""; i++) {
    const neighbour = turn.replicas.before(left.startKey);
    if (neighbour === undefined || neighbour.region.endKey !== left.startKey) break;
    siblings.push(neighbour.region);
    left = neighbour.region;
  }
  return [region, ...siblings];
}

/** Answers the call with a region error. */
export const answerError = (
  turn: StoreTurn,
  ticket: Ticket,
  call: TikvCall,
  error: RegionError,
): void => reply(turn, ticket, regionErrorReply(call.method, error));

/** Ends the call with a gRPC status. */
export function refuse(turn: StoreTurn, ticket: Ticket, code: number, message: string): void {
  turn.effects.push({ type: "refuse", ticket, code, message });
}

/**
 * Whether the data has all that is committed. A leader's may not: the followers can commit an entry
 * that its own disk has not finished, and answer reads from it.
 */
export const holdsCommitted = (replica: Replica): boolean =>
  replica.applied >= committed(replica.raft);
