/** How a step of a store begins on its state, and how it ends in the next state and the effects. */
import type { StoreId } from "../base/ids.ts";
import type { Now } from "../base/time.ts";
import { ordered } from "../region/snapshot/extraction.ts";
import { Registry } from "../region/registry.ts";
import { regionId } from "../region/replica.ts";
import { Workspace } from "../storage/lsm/workspace.ts";
import { stackOf } from "../storage/state.ts";
import type { TableCache } from "../storage/table/cache.ts";
import { shaped } from "./collection/state.ts";
import { freeze, handBack, logRecords, stepDisk, TurnTree } from "./disk.ts";
import { isFreezeDue } from "./flush.ts";
import type { StoreState } from "./state.ts";
import { viewOf } from "./transactions/memory.ts";
import { type StoreTurn, takeTicket } from "./turn.ts";
import type { StoreEffect } from "./types.ts";

/** `replaying`: the store is being opened. */
export function openTurn(
  state: StoreState,
  now: Now,
  tables: TableCache,
  replaying: boolean,
): StoreTurn {
  const tree = new TurnTree();
  const turn: StoreTurn = {
    now,
    replaying,
    store: (state.identity?.store ?? 0) as StoreId,
    config: state.config.region,
    safePoint: state.safePoint,
    seed: state.config.seed,
    wire: state.wire,
    effects: [],
    records: [],
    persisting: [],
    data: new Workspace(stackOf(state.storage), tables),
    tables,
    viewOf: (replica) => viewOf(turn, replica),
    tree,
    replicas: new Registry(state.replicas),
    news: undefined,
    started: [],
    confirmed: [],
    settled: [],
    wantsFreeze: false,
    damage: [],
    before: state,
    writes: undefined,
    reads: undefined,
    transactions: state.transactions,
    collection: state.collection,
    batches: undefined,
    begun: [],
    ended: [],
    registration: state.registration,
    identity: state.identity,
    storage: state.storage,
    heard: [...state.heard],
    removed: [],
    lastTicket: state.nextTicket,
    durability: state.durability,
    fileWrites: state.fileWrites,
    line: state.line,
    lineBytes: state.lineBytes,
    bucket: state.bucket,
    raftBytes: state.raftBytes,
    freeBytes: state.freeBytes,
    retryAt: state.retryAt,
    complainedAt: state.complainedAt,
    verdict: undefined,
    asked: state.asked,
    loggedBytes: state.loggedBytes,
    rest: state.rest,
    opened: state.opened,
    heartbeatAt: state.heartbeatAt,
    trouble: state.trouble,
  };
  tree.serve(turn);
  return turn;
}

/** Ends the turn. */
export function closeTurn(turn: StoreTurn): {
  readonly state: StoreState;
  readonly effects: readonly StoreEffect[];
} {
  logRecords(turn);
  handBack(turn);
  if (isFreezeDue(turn)) {
    freeze(turn);
    orderExtractions(turn);
  }
  stepDisk(turn, { type: "turn_ended" });
  for (const number of turn.removed) turn.tables.forget(number);
  const { config, wire, startedSeconds } = turn.before;
  const state: StoreState = {
    config,
    wire,
    identity: turn.identity,
    registration: turn.registration,
    storage: turn.storage,
    heard: turn.heard,
    replicas: turn.replicas.done(),
    transactions: turn.transactions,
    safePoint: turn.safePoint,
    collection:
      turn.collection === turn.before.collection ? turn.collection : shaped(turn.collection),
    nextTicket: turn.lastTicket,
    durability: turn.durability,
    fileWrites: turn.fileWrites,
    line: turn.line,
    lineBytes: turn.lineBytes,
    bucket: turn.bucket,
    raftBytes: turn.raftBytes,
    freeBytes: turn.freeBytes,
    retryAt: turn.retryAt,
    complainedAt: turn.complainedAt,
    asked: turn.asked,
    loggedBytes: turn.loggedBytes,
    rest: turn.rest,
    opened: turn.opened,
    heartbeatAt: turn.heartbeatAt,
    startedSeconds,
    trouble: turn.trouble,
  };
  return { state, effects: turn.effects };
}

/** What is applied now will be in the tables: those that followers wait for can be made of them. */
function orderExtractions(turn: StoreTurn): void {
  for (const replica of turn.replicas.all()) {
    const { extraction, region } = replica;
    if (extraction === undefined || extraction.ticket !== undefined) continue;
    const ticket = takeTicket(turn);
    const { startKey: start, endKey: end } = region;
    stepDisk(turn, { type: "extract", ticket, region: regionId(replica), start, end });
    turn.replicas.put(ordered(replica, ticket));
  }
}
