/**
 * How a store joins its cluster: it learns the cluster's id, gets an id of its own, bootstraps the
 * cluster if nobody has, and tells the placement driver where it is. Each stage asks one question
 * or waits for one write; a question without an answer is asked again at a later tick.
 *
 * The first region is durable on this store before the placement driver hears of it. It takes part
 * in nothing until the answer: a crash in between leaves a region whose Raft group has never been
 * started, by which it is known as not confirmed.
 */
import { unreachable } from "../base/assert.ts";
import type { RegionId, StoreId, Ticket } from "../base/ids.ts";
import { Peer, PeerRole, Region, RegionEpoch, Store, StoreLabel } from "../protocol/gen/metapb.ts";
import {
  AllocIDRequest,
  BootstrapRequest,
  ErrorType,
  GetMembersRequest,
  GetRegionRequest,
  IsBootstrappedRequest,
  PutStoreRequest,
  type ResponseHeader,
} from "../protocol/gen/pdpb.ts";
import type { PdCall, PdReply } from "../protocol/services.ts";
import { term } from "../raft/query.ts";
import { start } from "../raft/start.ts";
import { configurationOf, idOf, peerIdOf } from "../region/descriptor.ts";
import { destroy } from "../region/destroy.ts";
import { drive } from "../region/drive.ts";
import { raftConfig } from "../region/raft-config.ts";
import { newReplica, type Replica } from "../region/replica.ts";
import { encodeHead } from "../region/snapshot/head.ts";
import { INITIAL_INDEX, INITIAL_TERM } from "../region/split.ts";
import { header } from "./header.ts";
import type { Registration } from "./state.ts";
import type { PlacementAnswer } from "./types.ts";
import { logRecords, stepDisk } from "./disk.ts";
import { ask, type StoreTurn, takeTicket } from "./turn.ts";

const PURPOSE = { type: "registration" } as const;

/**
 * Asks the stage's question, unless it is asked already. Called at every tick until the store has
 * joined.
 */
export function pursueRegistration(turn: StoreTurn): void {
  if (turn.asked.some(({ purpose }) => purpose.type === "registration")) return;
  const call = question(turn, turn.registration);
  if (call !== undefined) ask(turn, PURPOSE, call);
}

function question(turn: StoreTurn, stage: Registration): PdCall | undefined {
  switch (stage.type) {
    case "find_cluster":
      return { method: "GetMembers", request: GetMembersRequest.make() };
    case "get_store_id":
      return {
        method: "AllocID",
        request: AllocIDRequest.make({ header: header(turn), count: 1 }),
      };
    case "get_first_ids":
      return {
        method: "AllocID",
        request: AllocIDRequest.make({ header: header(turn), count: 2 }),
      };
    case "check_bootstrap":
      return {
        method: "IsBootstrapped",
        request: IsBootstrappedRequest.make({ header: header(turn) }),
      };
    case "bootstrap":
      return {
        method: "Bootstrap",
        request: BootstrapRequest.make({
          header: header(turn),
          store: describeStore(turn),
          region: stage.region,
        }),
      };
    case "compare":
      return { method: "GetRegion", request: GetRegionRequest.make({ header: header(turn) }) };
    case "put_store":
      return {
        method: "PutStore",
        request: PutStoreRequest.make({ header: header(turn), store: describeStore(turn) }),
      };
    case "identify":
    case "prepare":
    case "joined":
      return undefined;
    default:
      return unreachable(stage);
  }
}

function describeStore({ before: { config, startedSeconds }, store }: StoreTurn): Store {
  return Store.make({
    id: store,
    address: config.address,
    statusAddress: config.statusAddress,
    version: config.version,
    labels: config.labels.map((label) => StoreLabel.make(label)),
    startTimestamp: startedSeconds,
  });
}

export function onRegistrationAnswer(turn: StoreTurn, answer: PlacementAnswer): void {
  if (!answer.ok) return;
  const stage = turn.registration;
  const next = afterAnswer(turn, stage, answer.reply);
  if (next === undefined) return;
  turn.registration = next;
  pursueRegistration(turn);
}

/** The stage that an answer leads to; undefined: ask again. */
function afterAnswer(
  turn: StoreTurn,
  stage: Registration,
  { method, response }: PdReply,
): Registration | undefined {
  switch (stage.type) {
    case "find_cluster":
      return method === "GetMembers"
        ? foundCluster(turn, response.header?.clusterId ?? 0n)
        : undefined;
    case "get_store_id":
      return method === "AllocID" && isGood(response.header)
        ? identify(turn, stage.cluster, response.id as StoreId)
        : undefined;
    case "check_bootstrap":
      if (method !== "IsBootstrapped" || !isGood(response.header)) return undefined;
      return afterCheck(turn, response.bootstrapped);
    case "get_first_ids":
      return method === "AllocID" && isGood(response.header)
        ? prepare(turn, response.id - 1, response.id)
        : undefined;
    case "bootstrap": {
      if (method !== "Bootstrap") return undefined;
      if (isGood(response.header)) return activate(turn, stage.region);
      const exists = response.header?.error?.type === ErrorType.ALREADY_BOOTSTRAPPED;
      return exists ? { type: "compare", region: stage.region } : undefined;
    }
    case "compare":
      if (method !== "GetRegion" || !isGood(response.header)) return undefined;
      return response.region?.id === stage.region.id
        ? activate(turn, stage.region)
        : discard(turn, stage.region);
    case "put_store":
      if (method !== "PutStore") return undefined;
      if (isGood(response.header)) return { type: "joined" };
      stop(turn, `the placement driver refuses this store: ${response.header?.error?.message}`);
      return undefined;
    case "identify":
    case "prepare":
    case "joined":
      return undefined;
    default:
      return unreachable(stage);
  }
}

const isGood = (given: ResponseHeader | undefined): boolean => given?.error === undefined;

function stop(turn: StoreTurn, reason: string): void {
  turn.effects.push({ type: "log", level: "error", message: reason, fields: {} });
  turn.effects.push({ type: "stop", reason });
}

function foundCluster(turn: StoreTurn, cluster: bigint): Registration | undefined {
  if (cluster === 0n) return undefined;
  const { identity } = turn;
  if (identity === undefined) return { type: "get_store_id", cluster };
  if (identity.cluster === cluster) return { type: "check_bootstrap" };
  stop(
    turn,
    `the data directory belongs to cluster ${identity.cluster}, the placement driver to ${cluster}`,
  );
  return undefined;
}

function identify(turn: StoreTurn, cluster: bigint, store: StoreId): Registration {
  const ticket = takeTicket(turn);
  turn.identity = { cluster, store };
  stepDisk(turn, { type: "identify", identity: turn.identity, ticket });
  return { type: "identify", ticket };
}

function afterCheck(turn: StoreTurn, bootstrapped: boolean): Registration {
  const prepared = unconfirmedRegion(turn);
  if (prepared !== undefined) {
    return { type: bootstrapped ? "compare" : "bootstrap", region: prepared };
  }
  return bootstrapped ? { type: "put_store" } : { type: "get_first_ids" };
}

/** A first region that was made here and never started. */
export function unconfirmedRegion(turn: StoreTurn): Region | undefined {
  const prepared = turn.replicas.all().find((replica) => isUnconfirmed(replica));
  return prepared?.region;
}

/**
 * Whether `replica` is a first region whose bootstrap was never confirmed: an active one has
 * campaigned.
 */
export const isUnconfirmed = ({ region, raft }: Replica): boolean =>
  region.startKey === "" &&
  region.endKey === "" &&
  region.peers.length === 1 &&
  region.regionEpoch?.confVer === 1 &&
  region.regionEpoch.version === 1 &&
  term(raft) === INITIAL_TERM;

/** Makes the region of the whole key space with one peer here, and waits until it is durable. */
function prepare(turn: StoreTurn, regionNumber: number, peerNumber: number): Registration {
  const region = Region.make({
    id: regionNumber,
    regionEpoch: RegionEpoch.make({ confVer: 1, version: 1 }),
    peers: [Peer.make({ id: peerNumber, storeId: turn.store, role: PeerRole.Voter })],
  });
  const metadata = {
    index: INITIAL_INDEX,
    term: INITIAL_TERM,
    configuration: configurationOf(region),
  };
  turn.records.push({
    type: "restore",
    region: idOf(region),
    hardState: { term: INITIAL_TERM, vote: peerIdOf(Peer.make()), commit: INITIAL_INDEX },
    metadata,
    chunks: [encodeHead({ region, metadata, tables: [], safePoint: undefined }, turn.wire)],
    tables: [],
  });
  const ticket = logRecords(turn) as Ticket;
  return { type: "prepare", region, ticket };
}

/** A write that a stage may wait for is durable. */
export function onRegistrationDurable(turn: StoreTurn, ticket: Ticket): void {
  const stage = turn.registration;
  if (stage.type === "identify" && stage.ticket <= ticket) {
    // The next tick asks on, with the new id in hand.
    turn.registration = { type: "check_bootstrap" };
  } else if (stage.type === "prepare" && stage.ticket <= ticket) {
    turn.registration = { type: "bootstrap", region: stage.region };
    pursueRegistration(turn);
  }
}

/** The cluster's first region is this store's: start its group. */
function activate(turn: StoreTurn, region: Region): Registration {
  const existing = turn.replicas.get(idOf(region));
  const replica = existing ?? firstReplica(turn, region);
  turn.replicas.put(replica);
  drive(turn, replica, { type: "campaign" });
  return { type: "put_store" };
}

function firstReplica(turn: StoreTurn, region: Region): Replica {
  const peer = region.peers[0] ?? Peer.make();
  const configuration = configurationOf(region);
  const from = { index: INITIAL_INDEX, term: INITIAL_TERM, configuration };
  const config = raftConfig(turn, region.id as RegionId, peerIdOf(peer));
  return newReplica({
    region,
    peer,
    raft: start(config, from, turn.now.monotonicMs),
    applied: INITIAL_INDEX,
    appliedTerm: INITIAL_TERM,
    configuration,
  });
}

/** Another store was first: this region never was. */
function discard(turn: StoreTurn, region: Region): Registration {
  const replica = turn.replicas.get(idOf(region)) ?? firstReplica(turn, region);
  turn.replicas.put(replica);
  destroy(turn, replica, { confVer: 1, version: 1 });
  return { type: "put_store" };
}
