/**
 * A leadership from within: winning and losing it, proposing, answering what is applied, and the
 * duties that keep timestamps, ids and region records coming.
 */
import { assert, unreachable } from "../base/assert.ts";
import { plusIndex } from "../base/ids.ts";
import type { LogIndex, PeerId, Term } from "../base/ids.ts";
import { leaseValid } from "../raft/query.ts";
import type { Role } from "../raft/types.ts";
import { UNAVAILABLE } from "./calls/answer.ts";
import { answer, answerApplied, checkCluster } from "./calls/calls.ts";
import { clusterIdFrom } from "./catalog/catalog.ts";
import { encodeCommand } from "./catalog/command-codec.ts";
import type { Outcome } from "./catalog/command.ts";
import { isUnrecorded, makeReady, win, withIds, withOracle } from "./leadership.ts";
import type { Held, Leadership, Purpose } from "./leadership.ts";
import { follow, nextWindow, withLimit, withoutProposal } from "./oracle.ts";
import { byId, size } from "./catalog/registry.ts";
import { amend, atDesk, deliver, keepHeld } from "./turn.ts";
import type { Proposal, Turn } from "./turn.ts";

/** What clients look for to know that they should ask another member. */
export const NOT_LEADER = "not leader";

/** Regions recorded by one command. */
const MOST_RECORDS = 256;

/** Role, term or known leader of the member has changed. */
export function onStatus(turn: Turn, role: Role, term: Term, leader: PeerId | undefined): void {
  const { draft } = turn;
  const { leadership } = draft;
  if (leadership !== undefined && (role !== "leader" || leadership.term !== term)) {
    lose(turn, leadership);
    const fields = { term: leadership.term, leader: leader ?? 0 };
    turn.effects.push({ type: "log", level: "info", message: "leadership is lost", fields });
  }
  if (role !== "leader" || draft.leadership !== undefined) return;
  draft.leadership = win(term, draft.catalog, turn.now);
  turn.effects.push({ type: "log", level: "info", message: "leadership is won", fields: { term } });
}

/** The member takes no further part: nobody is left waiting for it. */
export function abdicate(turn: Turn): void {
  const { leadership } = turn.draft;
  if (leadership !== undefined) lose(turn, leadership);
}

/** Refuses everyone who waits, and forgets the leadership whole. */
function lose(turn: Turn, leadership: Leadership): void {
  turn.draft.leadership = undefined;
  for (const { purpose } of leadership.waiters) turnAway(turn, purpose, NOT_LEADER);
  for (const { purpose } of turn.proposals) turnAway(turn, purpose, NOT_LEADER);
  turn.proposals = [];
  for (const { ticket } of leadership.held) {
    turn.effects.push({ type: "refuse", ticket, code: UNAVAILABLE, message: NOT_LEADER });
  }
}

/** Ends a wait without knowing what came of it. */
function turnAway(turn: Turn, purpose: Purpose, message: string): void {
  if (purpose.type === "call") {
    const { ticket } = purpose;
    turn.effects.push({ type: "refuse", ticket, code: UNAVAILABLE, message });
  } else if (purpose.type === "admin") {
    turn.effects.push({ type: "admin_done", ticket: purpose.ticket, ok: false, message });
  }
}

/** The commands of the last proposal stand from `first` on in the log. */
export function onProposed(turn: Turn, first: LogIndex): void {
  const { leadership } = turn.draft;
  assert(leadership !== undefined, "only a leader proposes");
  const waiters = turn.proposing.map(({ purpose }, i) => ({ index: plusIndex(first, i), purpose }));
  amend(turn, { waiters: [...leadership.waiters, ...waiters] });
  turn.proposing = [];
}

/** The last proposal came to nothing. */
export function onDropped(turn: Turn, reason: string): void {
  turn.dropped = true;
  for (const { purpose } of turn.proposing) {
    if (turn.draft.leadership !== undefined) withdraw(turn, turn.draft.leadership, purpose);
    const message = reason === "too_many_pending" ? "too many changes are under way" : NOT_LEADER;
    turnAway(turn, purpose, message);
  }
  turn.proposing = [];
}

/** Notes that what `purpose` stands for has to be proposed again. */
function withdraw(turn: Turn, leadership: Leadership, purpose: Purpose): void {
  switch (purpose.type) {
    case "cluster":
      return amend(turn, { drawing: false });
    case "window":
      return amend(turn, { oracle: withoutProposal(leadership.oracle) });
    case "ids":
      return amend(turn, { ids: { ...leadership.ids, asked: false } });
    case "regions": {
      const unrecorded = new Set([...leadership.unrecorded, ...purpose.ids]);
      return amend(turn, { unrecorded, recording: false });
    }
    case "call":
    case "admin":
      return undefined;
    default:
      return unreachable(purpose);
  }
}

/** The entry at `index` is applied. `outcome` is undefined for the empty entry of a new leader. */
export function onApplied(
  turn: Turn,
  index: LogIndex,
  term: Term,
  outcome: Outcome | undefined,
): void {
  const { catalog, leadership } = turn.draft;
  if (leadership === undefined || leadership.term !== term) return;
  if (!leadership.ready) turn.draft.leadership = makeReady(leadership, catalog, turn.now);
  // The first region comes with the bootstrap, before anyone has reported it.
  else if (size(leadership.registry) === 0) amend(turn, { registry: catalog.regions });
  const [waiter, ...others] = leadership.waiters;
  if (waiter?.index !== index) return;
  assert(outcome !== undefined, "nobody waits for an empty entry");
  amend(turn, { waiters: others });
  conclude(turn, waiter.purpose, outcome);
}

function conclude(turn: Turn, purpose: Purpose, outcome: Outcome): void {
  const { leadership } = turn.draft;
  assert(leadership !== undefined, "only a leader waits");
  switch (purpose.type) {
    case "call": {
      const { ticket, call } = purpose;
      const ended = deliver(
        turn,
        ticket,
        call,
        atDesk(turn, (d) => answerApplied(d, call, outcome)),
      );
      assert(ended, "a call that was applied is answered");
      return undefined;
    }
    case "admin": {
      const message = outcome.type === "refused" ? outcome.message : "";
      const ok = outcome.type !== "refused";
      turn.effects.push({ type: "admin_done", ticket: purpose.ticket, ok, message });
      return undefined;
    }
    case "cluster":
      return amend(turn, { drawing: false });
    case "window":
      return amend(turn, { oracle: withLimit(leadership.oracle, purpose.end) });
    case "ids":
      assert(outcome.type === "ids", "a reservation yields ids");
      turn.draft.leadership = withIds(leadership, outcome.first, outcome.count);
      return undefined;
    case "regions":
      return amend(turn, { recording: false });
    default:
      return unreachable(purpose);
  }
}

/**
 * Answers every call that can be answered now, in order; calls of one method never overtake each
 * other.
 */
export function serve(turn: Turn): void {
  const { draft, now } = turn;
  const { leadership, raft, catalog } = draft;
  if (leadership === undefined || !leadership.ready || leadership.held.length === 0) return;
  // Without a valid lease another member may lead already and have granted later timestamps.
  if (catalog.clusterId === undefined || !leaseValid(raft, now.monotonicMs)) return;
  let blocked: Set<string> | undefined;
  const held: Held[] = [];
  for (const waiting of leadership.held) {
    const { ticket, call } = waiting;
    const given =
      blocked?.has(call.method) === true
        ? ({ type: "later" } as const)
        : (checkCluster(catalog, call) ?? atDesk(turn, (desk) => answer(desk, call)));
    if (deliver(turn, ticket, call, given)) continue;
    blocked ??= new Set();
    blocked.add(call.method);
    held.push(waiting);
  }
  keepHeld(turn, held);
}

/** Refuses calls that have waited too long for this leader to become able to answer. */
export function expireHeld(turn: Turn): void {
  const { leadership, config } = turn.draft;
  const [oldest] = leadership?.held ?? [];
  if (leadership === undefined || oldest === undefined) return;
  const sinceMs = turn.now.monotonicMs - config.holdMs;
  if (oldest.sinceMs > sinceMs) return;
  const held: Held[] = [];
  for (const waiting of leadership.held) {
    if (waiting.sinceMs > sinceMs) held.push(waiting);
    else {
      const message = `${NOT_LEADER}: leadership is not confirmed`;
      const { ticket } = waiting;
      turn.effects.push({ type: "refuse", ticket, code: UNAVAILABLE, message });
    }
  }
  keepHeld(turn, held);
}

/** Proposes what the leadership itself needs: a cluster id, a window, ids, records of regions. */
export function attend(turn: Turn): void {
  const { leadership } = turn.draft;
  if (leadership === undefined || !leadership.ready || turn.dropped) return;
  drawCluster(turn, leadership);
  extendWindow(turn);
  reserveIds(turn);
  recordRegions(turn);
}

function drawCluster(turn: Turn, leadership: Leadership): void {
  const { catalog, config } = turn.draft;
  if (catalog.clusterId !== undefined || leadership.drawing) return;
  const clusterId = clusterIdFrom(config.clusterIdSeed);
  turn.proposals.push({
    command: { type: "draw_cluster", clusterId },
    purpose: { type: "cluster" },
  });
  amend(turn, { drawing: true });
}

function extendWindow(turn: Turn): void {
  const { leadership, config } = turn.draft;
  assert(leadership !== undefined, "only a leader extends its window");
  const oracle = follow(leadership.oracle, turn.now);
  const window = nextWindow(oracle, config.windowMs);
  turn.draft.leadership = withOracle(leadership, window?.oracle ?? oracle);
  if (window === undefined) return;
  const end = window.limit;
  turn.proposals.push({ command: { type: "save_window", end }, purpose: { type: "window", end } });
}

function reserveIds(turn: Turn): void {
  const { leadership, config } = turn.draft;
  assert(leadership !== undefined, "only a leader reserves ids");
  const { ids } = leadership;
  if (ids.wanted === 0 || ids.asked) return;
  const count = Math.max(ids.wanted, config.idBatch);
  turn.proposals.push({ command: { type: "reserve_ids", count }, purpose: { type: "ids" } });
  amend(turn, { ids: { ...ids, asked: true } });
}

function recordRegions(turn: Turn): void {
  const { leadership, catalog } = turn.draft;
  assert(leadership !== undefined, "only a leader records regions");
  const { unrecorded, recording, registry } = leadership;
  if (recording || unrecorded.size === 0) return;
  const ids = [...unrecorded].slice(0, MOST_RECORDS);
  const regions = ids
    .map((id) => byId(registry, id))
    .filter((info) => info !== undefined)
    .filter((info) => isUnrecorded(byId(catalog.regions, info.region.id), info))
    .map((info) => info.region);
  const rest = new Set([...unrecorded].slice(ids.length));
  amend(turn, { unrecorded: rest, recording: regions.length > 0 });
  if (regions.length === 0) return;
  turn.proposals.push({
    command: { type: "record_regions", regions },
    purpose: { type: "regions", ids },
  });
}

/** Hands all that has been collected to Raft as one proposal. */
export function propose(turn: Turn): void {
  const proposals: readonly Proposal[] = turn.proposals;
  assert(proposals.length > 0, "a proposal holds a command");
  assert(turn.proposing.length === 0, "one proposal at a time");
  turn.proposals = [];
  turn.proposing = proposals;
  const commands = proposals.map(({ command }) => encodeCommand(command, turn.draft.wire));
  turn.raftInputs.push({ type: "propose", commands });
}
