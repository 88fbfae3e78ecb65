/**
 * The core of a store. All inputs that have arrived since the last step are taken in order; then
 * the regions get the writes and reads that came in; then everything to be written leaves as one
 * batch.
 */
import { unreachable } from "../base/assert.ts";
import type { RegionId, StoreId } from "../base/ids.ts";
import type { Now } from "../base/time.ts";
import { isLeader } from "../raft/query.ts";
import { epochOf, storeIdOf } from "../region/descriptor.ts";
import { canLeave, destroy } from "../region/destroy.ts";
import { drive } from "../region/drive.ts";
import { isStranger } from "../region/members.ts";
import { expireReads } from "../region/reads.ts";
import { logCommit } from "../region/records.ts";
import { regionId, type Replica } from "../region/replica.ts";
import { tickSending } from "../region/snapshot/send.ts";
import { pressure } from "../storage/lsm/pressure.ts";
import type { TableCache } from "../storage/table/cache.ts";
import { onPlacementAnswer } from "./answers.ts";
import { seekSafePoints } from "./collection/points.ts";
import { sweepOn } from "./collection/sweeping.ts";
import { settleDamage } from "./damage.ts";
import { isDiskNews, reopenData, stepDisk } from "./disk.ts";
import { forgetTails } from "./flush.ts";
import { onStorage } from "./heard.ts";
import { isTight, measure, passLine } from "./line.ts";
import { onMessage } from "./messages.ts";
import { isUnconfirmed, pursueRegistration } from "./registration.ts";
import { report, reportNews } from "./reports.ts";
import { onRequest, submit } from "./requests.ts";
import { tickRest } from "./rest.ts";
import type { StoreState } from "./state.ts";
import { seekMaxTs } from "./transactions/sync.ts";
import { divideLocks, tickMemoryLocks } from "./transactions/memory.ts";
import { tickResolving } from "./transactions/resolving.ts";
import { tellWaits, tickDetector } from "./transactions/telling.ts";
import { seekOracle } from "./transactions/oracle.ts";
import { dismissWaiters, tickWaiters } from "./transactions/waits.ts";
import { advance, retry } from "./transactions/writes.ts";
import { closeTurn, openTurn } from "./turn-ends.ts";
import type { StoreTurn } from "./turn.ts";
import type { StoreEffect, StoreInput } from "./types.ts";

export interface StoreStep {
  readonly state: StoreState;
  readonly effects: readonly StoreEffect[];
}

/**
 * What all that has arrived makes of `state`. `tables` is the store's own for as long as it lives:
 * its disk, only nearer.
 */
export function step(
  state: StoreState,
  now: Now,
  tables: TableCache,
  inputs: readonly StoreInput[],
): StoreStep {
  const turn = openTurn(state, now, tables, false);
  hear(turn, inputs);
  for (const input of inputs) {
    if (!isDiskNews(input) && admits(turn, input)) handle(turn, input);
  }
  if (turn.trouble !== undefined) return abandoned(turn);
  passLine(turn);
  submit(turn);
  const grown = startReplicas(turn);
  advance(turn, () => submit(turn));
  divideLocks(turn, grown);
  for (const region of turn.news ?? []) noteFollower(turn, region);
  tellWaits(turn);
  settleDamage(turn);
  if (turn.registration.type === "joined") {
    for (const region of turn.news ?? []) noteLeader(turn, region);
    reportNews(turn);
  }
  return closeTurn(turn);
}

function noteFollower(turn: StoreTurn, region: RegionId): void {
  const replica = turn.replicas.get(region);
  if (replica !== undefined && isLeader(replica.raft)) return;
  dismissWaiters(turn, region, (woken) => retry(turn, woken));
}

/** Whoever has come to lead a region must learn what its predecessors have read. */
function noteLeader(turn: StoreTurn, region: RegionId): void {
  const replica = turn.replicas.get(region);
  if (replica !== undefined) seekMaxTs(turn, replica);
}

/** What the disk and the jobs say comes first: the data may lie elsewhere by it. */
function hear(turn: StoreTurn, inputs: readonly StoreInput[]): void {
  const { storage } = turn;
  for (const input of inputs) {
    if (!isDiskNews(input) || turn.trouble !== undefined) continue;
    stepDisk(turn, input);
  }
  if (turn.storage !== storage) reopenData(turn);
  for (const effect of turn.heard.splice(0)) onStorage(turn, effect);
}

/**
 * Before it is open a store knows only its disk; after the disk has refused, it only explains
 * itself.
 */
function admits(turn: StoreTurn, { type }: StoreInput): boolean {
  if (type === "request") return true;
  if (turn.trouble !== undefined) return false;
  return turn.opened;
}

/** Nothing more is written: what the disk holds is what counts. */
function abandoned(turn: StoreTurn): StoreStep {
  const effects = turn.effects.filter(
    ({ type }) => type === "reply" || type === "refuse" || type === "log" || type === "stop",
  );
  return { state: { ...turn.before, trouble: turn.trouble }, effects };
}

function handle(turn: StoreTurn, input: StoreInput): void {
  switch (input.type) {
    case "tick":
      onTick(turn);
      return;
    case "received":
      onMessage(turn, input.from, input.message);
      return;
    case "request":
      onRequest(turn, input.ticket, input.call);
      return;
    case "cancelled":
      // The work goes on: a write may be in the log already. Its answer finds nobody.
      return;
    case "unreachable":
      onUnreachable(turn, input.store);
      return;
    case "placement_answer":
      onPlacementAnswer(turn, input.ticket, input.answer);
      return;
    case "written":
    case "write_failed":
    case "job_done":
    case "job_failed":
      // Heard before.
      return;
    default:
      unreachable(input);
  }
}

function onTick(turn: StoreTurn): void {
  measure(turn);
  if (isTight(turn)) forgetTails(turn);
  retryWrites(turn);
  tickRest(turn);
  for (const replica of turn.replicas.all()) {
    if (turn.registration.type !== "joined" && isUnconfirmed(replica)) continue;
    if (isStranger(replica) && canLeave(turn, replica)) {
      logCommit(turn, replica);
      destroy(turn, replica, epochOf(replica.region));
    } else {
      tickReplica(turn, replica);
    }
  }
  tickWaiters(turn, (woken) => retry(turn, woken));
  tickMemoryLocks(turn);
  tickDetector(turn);
  tickResolving(turn);
  if (turn.registration.type === "joined") {
    seekOracle(turn);
    report(turn);
    seekSafePoints(turn);
  } else {
    pursueRegistration(turn);
  }
  sweepOn(turn);
}

/** What the disk has refused is tried again: there may be room now. */
function retryWrites(turn: StoreTurn): void {
  const { stalled, blocked } = pressure(turn.storage);
  if ((stalled || blocked) && turn.now.monotonicMs >= turn.retryAt)
    stepDisk(turn, { type: "retry" });
}

function tickReplica(turn: StoreTurn, replica: Replica): void {
  let current: Replica | undefined = drive(turn, replica, { type: "tick" });
  if (current === undefined) return;
  if (current.reads.length > 0) current = expireReads(turn, current);
  if (current.outgoing.length > 0 || current.extraction !== undefined) {
    const next = tickSending(turn, current);
    current = next.replica;
    for (const input of next.inputs) {
      if (current !== undefined) current = drive(turn, current, input);
    }
  }
  if (current === undefined) return;
  turn.replicas.put(current);
  seekMaxTs(turn, current);
}

function onUnreachable(turn: StoreTurn, store: StoreId): void {
  for (const replica of turn.replicas.all()) {
    for (const peer of replica.region.peers) {
      if (storeIdOf(peer) !== store) continue;
      const current = turn.replicas.get(regionId(replica));
      if (current === undefined) continue;
      drive(turn, current, { type: "unreachable", peer: peer.id as Replica["raft"]["leader"] });
    }
  }
}

/** Starts what splits have made in this step. */
function startReplicas(turn: StoreTurn): readonly RegionId[] {
  if (turn.started.length === 0) return NOTHING_GROWN;
  const grown = turn.started.map(({ region }) => region);
  for (const { region, campaign } of turn.started.splice(0)) {
    const replica = turn.replicas.get(region);
    if (replica === undefined) continue;
    drive(turn, replica, campaign ? { type: "campaign" } : { type: "tick" });
  }
  return grown;
}

const NOTHING_GROWN: readonly RegionId[] = [];
