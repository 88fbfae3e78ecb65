/**
 * Clients' calls: the checks that decide whether this store may serve them, then the way in.
 *
 * Raw reads are answered at once under the leader's lease, else they wait for Raft to name an index
 * (always, on followers). Raw writes of one step share log entries, region by region.
 */
import type { RegionId, Ticket } from "../base/ids.ts";
import {
  type Context,
  GetHealthFeedbackResponse,
  RawCoprocessorResponse,
  StoreSafeTSResponse,
} from "../protocol/gen/kvrpcpb.ts";
import type { TikvCall } from "../protocol/services.ts";
import { committed, isLeader, leader, leaseValid, term } from "../raft/query.ts";
import { commandsOf, type RawRead, type RawWrite, strayKey, writeReply } from "../raw/request.ts";
import { epochOf, isInitialized, peerById } from "../region/descriptor.ts";
import { drive } from "../region/drive.ts";
import {
  diskFull,
  epochNotMatch,
  keyNotInRegion,
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
import { pack, type RawProposal } from "../region/propose.ts";
import {
  answerNow,
  awaitIndex,
  noteReadIndex,
  type ReadCall,
  serveReads,
} from "../region/reads.ts";
import { type Replica, regionId } from "../region/replica.ts";
import { reply } from "../region/turn.ts";
import { onSplitCall } from "./splits.ts";
import { type StoreTurn, takeTicket } from "./turn.ts";

const INVALID_ARGUMENT = 3;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;

export function onRequest(turn: StoreTurn, ticket: Ticket, call: TikvCall): void {
  switch (call.method) {
    case "RawGet":
    case "RawBatchGet":
    case "RawScan":
    case "RawBatchScan":
    case "RawGetKeyTTL":
    case "RawChecksum":
      onRead(turn, ticket, call);
      return;
    case "RawPut":
    case "RawBatchPut":
    case "RawDelete":
    case "RawBatchDelete":
    case "RawDeleteRange":
    case "RawCompareAndSwap":
      onWrite(turn, ticket, call);
      return;
    case "SplitRegion": {
      const replica = admit(turn, ticket, call, call.request.context, true);
      if (replica !== undefined) onSplitCall(turn, replica, ticket, call.request);
      return;
    }
    case "GetStoreSafeTS":
      // No resolved timestamps yet: nothing is safe for a stale read.
      reply(turn, ticket, { method: call.method, response: StoreSafeTSResponse.make() });
      return;
    case "GetHealthFeedback":
      reply(turn, ticket, { method: call.method, response: GetHealthFeedbackResponse.make() });
      return;
    case "RawCoprocessor":
      reply(turn, ticket, {
        method: call.method,
        response: RawCoprocessorResponse.make({
          error: `coprocessor plugin ${call.request.coprName} is not found`,
        }),
      });
      return;
    default:
      refuse(turn, ticket, UNIMPLEMENTED, `${call.method} is not implemented`);
  }
}

function refuse(turn: StoreTurn, ticket: Ticket, code: number, message: string): void {
  turn.effects.push({ type: "refuse", ticket, code, message });
}

function onRead(turn: StoreTurn, ticket: Ticket, call: RawRead): void {
  const context = call.request.context;
  const replica = admit(turn, ticket, call, context, context?.replicaRead !== true);
  if (replica === undefined) return;
  const { startKey: start, endKey: end } = replica.region;
  const stray = strayKey(call, { start, end });
  if (stray !== undefined) {
    answerError(turn, ticket, call, keyNotInRegion(stray, replica.region));
  } else if (leaseValid(replica.raft, turn.now.monotonicMs) && holdsCommitted(replica)) {
    answerNow(turn, replica, { ticket, call });
  } else {
    turn.reads ??= new Map();
    add(turn.reads, regionId(replica), { ticket, call });
  }
}

function onWrite(turn: StoreTurn, ticket: Ticket, call: RawWrite): void {
  const replica = admit(turn, ticket, call, call.request.context, true);
  if (replica === undefined) return;
  const { startKey: start, endKey: end } = replica.region;
  const stray = strayKey(call, { start, end });
  if (stray !== undefined) {
    answerError(turn, ticket, call, keyNotInRegion(stray, replica.region));
    return;
  }
  const translated = commandsOf(call, turn.config.raw, Math.floor(turn.now.wallMs / 1000));
  if (!translated.ok) {
    reply(turn, ticket, translated.reply);
    return;
  }
  const { maxKeyBytes } = turn.config;
  for (const command of translated.commands) {
    if (command.type !== "delete_range" && command.key.length > maxKeyBytes) {
      const text = `max key size exceeded, size: ${command.key.length}, limit: ${maxKeyBytes}`;
      reply(turn, ticket, writeReply(call.method, text));
      return;
    }
  }
  const part = { ticket, method: call.method, commands: translated.commands.length };
  const { version } = epochOf(replica.region);
  turn.writes ??= new Map();
  add(turn.writes, regionId(replica), { part, version, commands: translated.commands });
}

function add<T>(lists: Map<RegionId, T[]>, region: RegionId, item: T): void {
  const list = lists.get(region);
  if (list === undefined) lists.set(region, [item]);
  else list.push(item);
}

/**
 * The replica that may serve the call, or undefined where the call has been answered with the
 * reason why none may. `byLeader`: only the leader may.
 */
function admit(
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
  const error = misdirected(turn, replica, context, byLeader);
  if (error === undefined) return replica;
  answerError(turn, ticket, call, error);
  return undefined;
}

/** Why `replica` can't serve a call with this context, if it can't. */
function misdirected(
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

const answerError = (turn: StoreTurn, ticket: Ticket, call: TikvCall, error: RegionError): void =>
  reply(turn, ticket, regionErrorReply(call.method, error));

/** Gives each region the writes and the unconfirmed reads that this step has brought it. */
export function submit(turn: StoreTurn): void {
  const { writes, reads } = turn;
  turn.writes = undefined;
  turn.reads = undefined;
  if (writes !== undefined) {
    for (const [region, proposals] of writes) submitWrites(turn, region, proposals);
  }
  if (reads !== undefined) {
    for (const [region, calls] of reads) submitReads(turn, region, calls);
  }
}

function submitWrites(turn: StoreTurn, region: RegionId, writes: readonly RawProposal[]): void {
  const replica = turn.replicas.get(region);
  if (replica === undefined || replica.damaged !== undefined) {
    for (const { part } of writes) {
      reply(turn, part.ticket, regionErrorReply(part.method, regionNotFound(region)));
    }
    return;
  }
  const proposals = pack(turn, replica, writes);
  if (proposals.length === 0) return;
  const commands = proposals.map(({ data }) => data);
  drive(turn, replica, { type: "propose", commands }, proposals);
}

function submitReads(turn: StoreTurn, region: RegionId, calls: readonly ReadCall[]): void {
  const replica = turn.replicas.get(region);
  if (replica === undefined || replica.damaged !== undefined) {
    for (const { ticket, call } of calls) answerError(turn, ticket, call, regionNotFound(region));
    return;
  }
  const { version } = epochOf(replica.region);
  const current: ReadCall[] = [];
  for (const read of calls) {
    // A split may have been applied since the call was checked, earlier in this step.
    if (read.call.request.context?.regionEpoch?.version === version) current.push(read);
    else answerError(turn, read.ticket, read.call, epochNotMatch([replica.region]));
  }
  if (current.length === 0) return;
  const ticket = takeTicket(turn);
  const waiting = awaitIndex(turn, replica, ticket, current);
  if (leaseValid(replica.raft, turn.now.monotonicMs)) {
    // The lease makes the commit index a read index; only the data is not there yet.
    const index = committed(replica.raft);
    turn.replicas.put(serveReads(turn, noteReadIndex(waiting, ticket, index)));
  } else {
    drive(turn, waiting, { type: "read", ticket });
  }
}

/**
 * Whether the data has all that is committed. A leader's may not: the followers can commit an entry
 * that its own disk has not finished, and answer reads from it.
 */
const holdsCommitted = (replica: Replica): boolean => replica.applied >= committed(replica.raft);
