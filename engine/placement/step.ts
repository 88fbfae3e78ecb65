/**
 * The core of the room: `step(state, now, inputs)`. All that has arrived goes in together, so that
 * one proposal and one write serve it all.
 */
import { unreachable } from "../base/assert.ts";
import { Term } from "../base/ids.ts";
import type { PeerId, Ticket } from "../base/ids.ts";
import type { Now } from "../base/time.ts";
import { StoreState } from "../protocol/gen/metapb.ts";
import { leader, term } from "../raft/query.ts";
import { refuse, UNAVAILABLE } from "./calls/answer.ts";
import type { Answer } from "./calls/answer.ts";
import { getClusterInfo, getMembers } from "./calls/cluster.ts";
import { memberList } from "./calls/etcd.ts";
import { orderTransfer } from "./calls/schedule.ts";
import { decodeCatalog } from "./catalog/command-codec.ts";
import { attend, expireHeld, NOT_LEADER, propose, serve } from "./leader.ts";
import { loadOf } from "./catalog/registry.ts";
import { orderRearrangement } from "./rearrange.ts";
import { considerCheckpoint, pump, retryStalled, tellStorage } from "./replica.ts";
import type { PlacementState } from "./state.ts";
import { amend, atDesk, deliver, keepHeld, turnOf } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type {
  AdminOrder,
  PlacementCall,
  PlacementEffect,
  PlacementInput,
  PlacementMessage,
} from "./types.ts";

export interface Step {
  readonly state: PlacementState;
  readonly effects: readonly PlacementEffect[];
}

/** What `inputs`, in their order, make of `state`. */
export function step(state: PlacementState, now: Now, inputs: readonly PlacementInput[]): Step {
  const turn = turnOf(state, now);
  for (const input of inputs) {
    handle(turn, input);
    pump(turn);
  }
  settle(turn);
  considerCheckpoint(turn);
  tellStorage(turn, { type: "turn_ended" });
  return { state: turn.draft, effects: turn.effects };
}

function handle(turn: Turn, input: PlacementInput): void {
  switch (input.type) {
    case "tick":
      if (turn.draft.opened) turn.raftInputs.push({ type: "tick" });
      retryStalled(turn);
      return expireHeld(turn);
    case "received":
      return onReceived(turn, input.from, input.message);
    case "request":
      return onRequest(turn, input.ticket, input.call);
    case "cancelled":
      return onCancelled(turn, input.ticket);
    case "admin":
      return onAdmin(turn, input.ticket, input.order);
    case "unreachable":
      if (turn.draft.opened) turn.raftInputs.push({ type: "unreachable", peer: input.member });
      return undefined;
    case "written":
    case "write_failed":
      return tellStorage(turn, input);
    default:
      return unreachable(input);
  }
}

/** Lets everything that has become possible happen. */
function settle(turn: Turn): void {
  for (;;) {
    pump(turn);
    serve(turn);
    attend(turn);
    if (turn.proposals.length === 0) return;
    propose(turn);
  }
}

function onReceived(turn: Turn, from: PeerId, message: PlacementMessage): void {
  const { draft } = turn;
  // What another member says is lost on one that is not open yet, as on one that is down.
  if (!draft.opened || !draft.config.members.some(({ id }) => id === from)) return;
  if (message.type === "raft") {
    turn.raftInputs.push({ type: "received", from, message: message.message });
    return;
  }
  const decoded = decodeCatalog(message.bytes, draft.wire);
  if (!decoded.ok) {
    const fields = { from, reason: decoded.reason };
    turn.effects.push({ type: "log", level: "warn", message: "a snapshot is malformed", fields });
    return;
  }
  turn.offered = { catalog: decoded.value, bytes: message.bytes };
  const term = Term(message.term);
  const offer = { type: "snapshot", term, metadata: message.metadata } as const;
  turn.raftInputs.push({ type: "received", from, message: offer });
  pump(turn);
  turn.offered = undefined;
}

function onRequest(turn: Turn, ticket: Ticket, call: PlacementCall): void {
  const { catalog, leadership } = turn.draft;
  if (
    call.method === "GetMembers" ||
    call.method === "GetClusterInfo" ||
    call.method === "MemberList"
  ) {
    if (catalog.clusterId === undefined) {
      deliver(turn, ticket, call, refuse(UNAVAILABLE, "server not started"));
      return;
    }
    deliver(turn, ticket, call, answerAnywhere(turn.draft, call.method));
    return;
  }
  if (leadership === undefined) {
    deliver(turn, ticket, call, refuse(UNAVAILABLE, NOT_LEADER));
    return;
  }
  const held = [...leadership.held, { ticket, call, sinceMs: turn.now.monotonicMs }];
  keepHeld(turn, held);
}

/** The answer of any member, whoever leads. */
function answerAnywhere(
  { catalog, config, raft }: PlacementState,
  method: "GetMembers" | "GetClusterInfo" | "MemberList",
): Answer {
  switch (method) {
    case "GetMembers": {
      const id = leader(raft);
      return getMembers(
        catalog,
        config,
        config.members.find((member) => member.id === id),
      );
    }
    case "GetClusterInfo":
      return getClusterInfo(catalog);
    case "MemberList":
      return memberList(catalog, config, term(raft));
    default:
      return unreachable(method);
  }
}

function onCancelled(turn: Turn, ticket: Ticket): void {
  const { leadership } = turn.draft;
  if (leadership === undefined) return;
  const waits = (other: { readonly ticket?: Ticket }): boolean => other.ticket !== ticket;
  amend(turn, {
    held: leadership.held.filter(waits),
    waiters: leadership.waiters.filter(({ purpose }) => purpose.type !== "call" || waits(purpose)),
  });
}

function onAdmin(turn: Turn, ticket: Ticket, order: AdminOrder): void {
  const done = (message: string): void => {
    turn.effects.push({ type: "admin_done", ticket, ok: message === "", message });
  };
  const { leadership } = turn.draft;
  if (leadership === undefined || !leadership.ready) return done(NOT_LEADER);
  switch (order.type) {
    case "set_store_state": {
      const load = loadOf(leadership.registry, order.store);
      if (order.state === "tombstone" && load.peers > 0) {
        return done(`store ${order.store} still has ${load.peers} peers`);
      }
      const command = {
        type: "set_store_state",
        store: order.store,
        state: STATES[order.state],
      } as const;
      turn.proposals.push({ command, purpose: { type: "admin", ticket } });
      return undefined;
    }
    case "transfer_region_leader":
      return done(atDesk(turn, (desk) => orderTransfer(desk, order.region, order.store)) ?? "");
    case "rearrange_region":
      return done(atDesk(turn, (desk) => orderRearrangement(desk, order.region, order)) ?? "");
    case "transfer_leadership":
      turn.raftInputs.push({ type: "transfer_leader", to: order.to });
      return done("");
    default:
      return unreachable(order);
  }
}

const STATES = {
  up: StoreState.Up,
  offline: StoreState.Offline,
  tombstone: StoreState.Tombstone,
} as const;
