/**
 * How a client reaches the region of a key, as TiKV's clients do: a cache of regions filled by the
 * placement driver, the leader it last heard of, and a retry for each region error. One operation
 * at a time.
 *
 * A write is sent again only after an answer which says that it was not carried out. Where that is
 * not known, its outcome is `unknown`.
 */
import type { Key } from "../../engine/base/bytes.ts";
import type { TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import type { Error as RegionError } from "../../engine/protocol/gen/errorpb.ts";
import type { Peer, Region } from "../../engine/protocol/gen/metapb.ts";
import type { Client, Outcome, World } from "../model.ts";
import type { Random } from "../random.ts";
import { Context } from "../../engine/protocol/gen/kvrpcpb.ts";
import {
  GetMembersRequest,
  GetRegionRequest,
  RequestHeader,
} from "../../engine/protocol/gen/pdpb.ts";
import { inRange } from "../../engine/base/bytes.ts";
import { schedule } from "../event-queue.ts";
import { below, MEDIAN, pick } from "../random.ts";
import { askPlacement, beginCall } from "../transport.ts";

/** What to do in the region of `key`. */
export interface Errand {
  readonly key: Key;
  readonly writes: boolean;
  /** A read that any replica may answer. */
  readonly anyReplica: boolean;
  /** The call, for the region as it is now known; undefined where it can no longer be made. */
  prepare(region: Region, context: Context): TikvCall | undefined;
  /** Told once what came of it. */
  done(result: Result): void;
}

export type Result =
  | { readonly type: "reply"; readonly reply: TikvReply }
  /** Certainly not carried out. */
  | { readonly type: "refused" }
  | { readonly type: "unknown" };

interface Located {
  readonly region: Region;
  leader: Peer | undefined;
}

/** Mutable: one for each client. */
export interface Session {
  readonly world: World;
  readonly client: () => Client;
  /** For the operation under way: whom to ask, and how long to wait. */
  random: Random;
  clusterId: bigint;
  readonly regions: Located[];
  /** The operation under way, and the number of the answer it waits for. */
  errand: Errand | undefined;
  tag: number;
  waiting: "members" | "region" | "store" | "pause" | "nothing";
  located: Located | undefined;
  expiresUs: number;
  attempts: number;
}

/** Operations that take longer have failed. */
const PATIENCE_US = 5_000_000;
const CALL_US = 1_500_000;

export const sessionOf = (world: World, client: () => Client): Session => ({
  world,
  client,
  random: MEDIAN,
  clusterId: 0n,
  regions: [],
  errand: undefined,
  tag: 0,
  waiting: "nothing",
  located: undefined,
  expiresUs: 0,
  attempts: 0,
});

/** Begins an errand, drawing from `random`; the one before it must be over. */
export function begin(session: Session, random: Random, errand: Errand): void {
  session.random = random;
  session.errand = errand;
  session.world.errands += 1;
  session.expiresUs = session.world.timeUs + PATIENCE_US;
  session.attempts = 0;
  proceed(session);
}

/** The client's answers and timers with tags of this session come here; true where this was one. */
export function onAnswer(session: Session, tag: number, outcome: Outcome): boolean {
  if (tag !== session.tag || session.errand === undefined) return false;
  switch (session.waiting) {
    case "members":
      onMembers(session, outcome);
      return true;
    case "region":
      onRegion(session, outcome);
      return true;
    case "store":
      onStore(session, session.errand, outcome);
      return true;
    default:
      return false;
  }
}

export function onPause(session: Session, tag: number): boolean {
  if (tag !== session.tag || session.waiting !== "pause") return false;
  proceed(session);
  return true;
}

/** The next thing to do for the errand: learn the cluster, find the region, or call a store. */
function proceed(session: Session): void {
  const { world, errand } = session;
  if (errand === undefined) return;
  if (world.timeUs >= session.expiresUs) return finish(session, { type: "refused" });
  if (session.clusterId === 0n) {
    return ask(session, "members", { method: "GetMembers", request: GetMembersRequest.make() });
  }
  const located = session.regions.find(({ region }) =>
    inRange(errand.key, region.startKey, region.endKey),
  );
  if (located === undefined) {
    const header = RequestHeader.make({ clusterId: session.clusterId });
    const request = GetRegionRequest.make({ header, regionKey: errand.key });
    return ask(session, "region", { method: "GetRegion", request });
  }
  call(session, errand, located);
}

function ask(
  session: Session,
  waiting: "members" | "region",
  request: Parameters<typeof askPlacement>[2],
): void {
  session.waiting = waiting;
  session.tag += 1;
  const origin = { type: "client", client: session.client(), tag: session.tag } as const;
  const timeoutUs = Math.max(1, session.expiresUs - session.world.timeUs);
  askPlacement(session.world, origin, request, timeoutUs);
}

function onMembers(session: Session, outcome: Outcome): void {
  if (outcome.type === "reply" && outcome.reply.method === "GetMembers") {
    session.clusterId = outcome.reply.response.header?.clusterId ?? 0n;
  }
  if (session.clusterId === 0n) return pause(session, 100_000);
  proceed(session);
}

function onRegion(session: Session, outcome: Outcome): void {
  const response =
    outcome.type === "reply" && outcome.reply.method === "GetRegion"
      ? outcome.reply.response
      : undefined;
  const region = response?.region;
  if (region === undefined || region.peers.length === 0) return pause(session, 100_000);
  forget(session, region);
  session.regions.push({ region, leader: response?.leader });
  proceed(session);
}

/** Drops what is known of the ranges that `region` covers. */
function forget(session: Session, region: Region): void {
  const { regions } = session;
  for (let i = regions.length - 1; i >= 0; i--) {
    const known = (regions[i] as Located).region;
    const apart =
      (known.endKey !== "" && known.endKey <= region.startKey) ||
      (region.endKey !== "" && region.endKey <= known.startKey);
    if (!apart) regions.splice(i, 1);
  }
}

function call(session: Session, errand: Errand, located: Located): void {
  const { world, random } = session;
  const { region } = located;
  const voters = region.peers;
  const anywhere = errand.anyReplica && session.attempts < 4;
  const peer = anywhere ? pick(random, voters) : (located.leader ?? pick(random, voters));
  const store = world.stores.find(({ id }) => id === peer.storeId);
  const context = Context.make({
    regionId: region.id,
    regionEpoch: region.regionEpoch,
    peer,
    replicaRead: anywhere,
  });
  const request = errand.prepare(region, context);
  if (request === undefined) return finish(session, { type: "refused" });
  session.attempts += 1;
  if (store === undefined) {
    // It has lost its disk, and is another one by now.
    forget(session, region);
    return pause(session, 50_000);
  }
  session.located = located;
  session.waiting = "store";
  session.tag += 1;
  const owner = { type: "client", client: session.client(), tag: session.tag } as const;
  beginCall(world, session.client().node, store, request, CALL_US, owner);
}

function onStore(session: Session, errand: Errand, outcome: Outcome): void {
  if (outcome.type !== "reply") {
    // Whoever was called may have carried it out; it is also worth asking somebody else.
    if (session.located !== undefined) session.located.leader = undefined;
    if (errand.writes) return finish(session, { type: "unknown" });
    return pause(session, 50_000);
  }
  const reply = outcome.reply as TikvReply;
  const error = (reply.response as { readonly regionError?: RegionError | undefined }).regionError;
  if (error === undefined) return finish(session, { type: "reply", reply });
  if (error.undeterminedResult !== undefined && errand.writes) {
    return finish(session, { type: "unknown" });
  }
  onRegionError(session, error);
}

/** Learns what the error says, waits a little and tries again. */
function onRegionError(session: Session, error: RegionError): void {
  const { located } = session;
  if (located === undefined) return pause(session, 50_000);
  if (error.notLeader !== undefined) {
    const { leader } = error.notLeader;
    located.leader = leader;
    return pause(session, leader === undefined ? 100_000 : 1000);
  }
  const elsewhere =
    error.epochNotMatch !== undefined ||
    error.regionNotFound !== undefined ||
    error.keyNotInRegion !== undefined ||
    error.mismatchPeerId !== undefined ||
    error.storeNotMatch !== undefined ||
    error.regionNotInitialized !== undefined;
  if (elsewhere) {
    const at = session.regions.indexOf(located);
    if (at >= 0) session.regions.splice(at, 1);
    for (const region of error.epochNotMatch?.currentRegions ?? []) {
      if (region.peers.length === 0) continue;
      forget(session, region);
      session.regions.push({ region, leader: undefined });
    }
    return pause(session, 20_000);
  }
  pause(session, 100_000);
}

function pause(session: Session, us: number): void {
  const { world } = session;
  session.waiting = "pause";
  session.tag += 1;
  const time = world.timeUs + us + below(session.random, us);
  schedule(world.queue, time, { type: "wake", client: session.client(), tag: session.tag });
}

function finish(session: Session, result: Result): void {
  const { errand } = session;
  session.errand = undefined;
  session.world.errands -= 1;
  session.waiting = "nothing";
  session.located = undefined;
  errand?.done(result);
}
