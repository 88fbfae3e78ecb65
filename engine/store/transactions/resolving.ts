/**
 * How regions come by timestamps at which any of their replicas may read (`transaction/resolved`).
 * Now and then a store draws a timestamp for all regions that it leads. A region takes part while
 * its leader's lease holds, so there was no other leader when the timestamp had been drawn; its
 * locks are looked at a few at a time, and what they leave is told to the other replicas.
 */
import { idKey } from "../../base/big-endian.ts";
import type { Key } from "../../base/bytes.ts";
import type { LogIndex, RegionId, StoreId } from "../../base/ids.ts";
import { composeTimestamp, type Timestamp, ZERO_TIMESTAMP } from "../../base/timestamp.ts";
import * as tree from "../../base/tree.ts";
import type { Tree } from "../../base/tree.ts";
import {
  ReportMinResolvedTsRequest,
  TsoRequest,
  type TsoResponse,
} from "../../protocol/gen/pdpb.ts";
import { isLeader, leaseValid } from "../../raft/query.ts";
import { isSound } from "../../region/damage.ts";
import { epochOf, storeIdOf } from "../../region/descriptor.ts";
import { type Replica, regionId } from "../../region/replica.ts";
import type { SafeTimestamp } from "../../region/types.ts";
import { raise } from "../../transaction/concurrency.ts";
import {
  boundInData,
  boundInMemory,
  remember,
  safeTs,
  type Settled,
} from "../../transaction/resolved.ts";
import { header } from "../header.ts";
import { ask, type StoreTurn } from "../turn.ts";
import { withParts } from "./parts.ts";

/** Work of one step: locks looked at, and what a look into one more region costs beside them. */
const LOCKS_AT_ONCE = 2048;
const REGION_COST = 8;

export interface Resolving {
  /** Regions whose locks are being looked at, in the order in which that is done. */
  readonly scans: readonly LockScan[];
  /** Monotonic time at which the last timestamp was asked for. */
  readonly askedAt: number;
  /** By `idKey` of the region: what this store's replica of it knows. */
  readonly settled: Tree<readonly Settled[]>;
}

interface LockScan {
  readonly region: RegionId;
  readonly version: number;
  /** What the locks up to here have left of the timestamp. */
  readonly bound: Timestamp;
  readonly from: Key;
}

export const notResolving = (): Resolving => ({
  scans: [],
  askedAt: Number.NEGATIVE_INFINITY,
  settled: tree.empty(),
});

/** Time has passed. */
export function tickResolving(turn: StoreTurn): void {
  continueScans(turn);
  const { resolving } = turn.transactions;
  const { resolveMs } = turn.before.config;
  const { monotonicMs } = turn.now;
  if (resolveMs === 0 || monotonicMs - resolving.askedAt < resolveMs) return;
  if (resolving.scans.length > 0 || turn.registration.type !== "joined") return;
  if (turn.asked.some(({ purpose }) => purpose.type === "resolved_timestamp")) return;
  note(turn, { askedAt: monotonicMs, settled: withoutGone(turn, resolving.settled) });
  if (!turn.replicas.all().some(({ raft }) => isLeader(raft))) return;
  const request = TsoRequest.make({ header: header(turn), count: 1 });
  ask(turn, { type: "resolved_timestamp" }, { method: "Tso", request });
}

function withoutGone(turn: StoreTurn, settled: Resolving["settled"]): Resolving["settled"] {
  const here = new Set(turn.replicas.all().map((replica) => idKey(regionId(replica))));
  const left = tree.edit(settled);
  for (const [key] of tree.entries(settled)) if (!here.has(key)) left.remove(key);
  return left.done();
}

/** The oracle has answered, or the placement driver could not be asked. */
export function onResolvedTimestamp(turn: StoreTurn, response: TsoResponse | undefined): void {
  const drawn = response?.timestamp;
  if (drawn === undefined) return;
  const ts = composeTimestamp(drawn.physical, drawn.logical);
  const concurrency = raise(turn.transactions.concurrency, ts);
  turn.transactions = withParts(turn.transactions, { concurrency });
  const scans: LockScan[] = [];
  for (const replica of turn.replicas.all()) {
    // The lease holds only where all that earlier leaders have committed is applied.
    if (replica.damaged !== undefined || !leaseValid(replica.raft, turn.now.monotonicMs)) continue;
    const { startKey: start, endKey: end } = replica.region;
    const bound = boundInMemory(concurrency, { start, end }, ts);
    const { version } = epochOf(replica.region);
    scans.push({ region: regionId(replica), version, bound, from: start });
  }
  note(turn, { scans });
  continueScans(turn);
}

function continueScans(turn: StoreTurn): void {
  const { scans } = turn.transactions.resolving;
  if (scans.length === 0) return;
  const found: SafeTimestamp[] = [];
  let budget = LOCKS_AT_ONCE;
  let done = 0;
  let under: LockScan | undefined;
  while (done < scans.length && budget > 0 && under === undefined) {
    const scan = scans[done] as LockScan;
    done += 1;
    const replica = turn.replicas.get(scan.region);
    // After a split the locks of one part say nothing of the other's.
    if (replica === undefined || epochOf(replica.region).version !== scan.version) continue;
    const range = { start: scan.from, end: replica.region.endKey };
    const part = boundInData(turn.data.snapshot(), range, scan.bound, budget);
    budget -= part.count + REGION_COST;
    if (!part.isSound || !isSound(turn)) continue;
    if (part.next !== undefined) under = { ...scan, bound: part.bound, from: part.next };
    else found.push(settle(turn, replica, part.bound));
  }
  const left = scans.slice(done);
  note(turn, { scans: under === undefined ? left : [under, ...left] });
  tellFollowers(turn, found);
  if (left.length === 0 && under === undefined) tellDriver(turn);
}

/** The least timestamp at which replicas here can be read, of those that can be at all. */
export function leastSafeTs(turn: StoreTurn, replicas: Iterable<Replica>): Timestamp {
  let least = ZERO_TIMESTAMP;
  for (const replica of replicas) {
    const safe = safeTsOf(turn, replica);
    if (safe !== ZERO_TIMESTAMP && (least === ZERO_TIMESTAMP || safe < least)) least = safe;
  }
  return least;
}

function tellDriver(turn: StoreTurn): void {
  if (turn.asked.some(({ purpose }) => purpose.type === "resolved_report")) return;
  const minResolvedTs = leastSafeTs(turn, turn.replicas.all());
  const request = ReportMinResolvedTsRequest.make({
    header: header(turn),
    storeId: turn.store,
    minResolvedTs,
  });
  ask(turn, { type: "resolved_report" }, { method: "ReportMinResolvedTS", request });
}

function settle(turn: StoreTurn, replica: Replica, ts: Timestamp): SafeTimestamp {
  const { version } = epochOf(replica.region);
  const settled = { version, index: replica.applied, ts };
  learn(turn, replica, settled);
  return { region: regionId(replica), ...settled };
}

function tellFollowers(turn: StoreTurn, found: readonly SafeTimestamp[]): void {
  const byStore = new Map<StoreId, SafeTimestamp[]>();
  for (const safe of found) {
    for (const peer of turn.replicas.get(safe.region)?.region.peers ?? []) {
      const store = storeIdOf(peer);
      if (store === turn.store) continue;
      const list = byStore.get(store);
      if (list === undefined) byStore.set(store, [safe]);
      else list.push(safe);
    }
  }
  for (const [to, regions] of byStore) {
    turn.effects.push({ type: "send", to, message: { type: "safe_timestamps", regions } });
  }
}

/** A leader has told what is settled. */
export function onSafeTimestamps(turn: StoreTurn, regions: readonly SafeTimestamp[]): void {
  for (const { region, version, index, ts } of regions) {
    const replica = turn.replicas.get(region);
    if (replica !== undefined) learn(turn, replica, { version, index, ts });
  }
}

export function learn(turn: StoreTurn, replica: Replica, news: Settled): void {
  const { settled } = turn.transactions.resolving;
  const key = idKey(regionId(replica));
  const known = remember(tree.get(settled, key) ?? [], news, replica.applied);
  note(turn, { settled: tree.set(settled, key, known) });
}

/** The greatest timestamp at which `replica` may be read as it is; 0: none. */
export function safeTsOf(turn: StoreTurn, replica: Replica): Timestamp {
  const known = tree.get(turn.transactions.resolving.settled, idKey(regionId(replica))) ?? [];
  const applied: LogIndex = replica.applied;
  return safeTs(known, epochOf(replica.region).version, applied);
}

function note(turn: StoreTurn, change: Partial<Resolving>): void {
  const { transactions } = turn;
  turn.transactions = withParts(transactions, {
    resolving: {
      scans: change.scans ?? transactions.resolving.scans,
      askedAt: change.askedAt ?? transactions.resolving.askedAt,
      settled: change.settled ?? transactions.resolving.settled,
    },
  });
}
