/** One step in progress: the state while it is being made, and what is to be done with it. */
import type { Ticket } from "../base/ids.ts";
import type { Now } from "../base/time.ts";
import type { RaftInput } from "../raft/types.ts";
import type { Answer, Desk } from "./calls/answer.ts";
import { assert, unreachable } from "../base/assert.ts";
import type { Catalog } from "./catalog/catalog.ts";
import type { Command } from "./catalog/command.ts";
import { withHeld } from "./leadership.ts";
import type { Held, Leadership, Purpose } from "./leadership.ts";
import type { PlacementState } from "./state.ts";
import type { PlacementCall, PlacementEffect } from "./types.ts";

/** The state while a step is writing it. Nothing that it refers to is written. */
export type Draft = { -readonly [K in keyof PlacementState]: PlacementState[K] };

/** A command to propose, and why. */
export interface Proposal {
  readonly command: Command;
  readonly purpose: Purpose;
}

export interface Turn {
  readonly draft: Draft;
  readonly now: Now;
  readonly effects: PlacementEffect[];
  /** What Raft is to be told next, in order. */
  readonly raftInputs: RaftInput[];
  /** Collected during the step, so that one proposal carries them all. */
  proposals: Proposal[];
  /** The proposals that Raft is looking at right now. */
  proposing: readonly Proposal[];
  /** Whether Raft has dropped a proposal in this step: there is no use in making more. */
  dropped: boolean;
  /** The snapshot that Raft is looking at right now. */
  offered: { readonly catalog: Catalog; readonly bytes: Uint8Array } | undefined;
}

export const turnOf = (state: PlacementState, now: Now): Turn => ({
  draft: draftOf(state),
  now,
  effects: [],
  raftInputs: [],
  proposals: [],
  proposing: [],
  dropped: false,
  offered: undefined,
});

function draftOf(state: PlacementState): Draft {
  return {
    config: state.config,
    wire: state.wire,
    opened: state.opened,
    stopped: state.stopped,
    raft: state.raft,
    storage: state.storage,
    ticket: state.ticket,
    writes: state.writes,
    catalog: state.catalog,
    applied: state.applied,
    checkpointing: state.checkpointing,
    checkpoint: state.checkpoint,
    kept: state.kept,
    complainedAt: state.complainedAt,
    leadership: state.leadership,
  };
}

/** Runs `ask` at the desk of the leadership, and keeps what it changes there. */
export function atDesk<T>(turn: Turn, ask: (desk: Desk) => T): T {
  const { draft, now } = turn;
  const { config, catalog, leadership } = draft;
  assert(leadership !== undefined, "only a leader has a desk");
  const desk: Desk = { config, now, catalog, leadership };
  const result = ask(desk);
  draft.leadership = desk.leadership;
  return result;
}

/**
 * Ends the call `ticket` as `answer` says, or proposes what it asks for. False where it has to
 * wait.
 */
export function deliver(turn: Turn, ticket: Ticket, call: PlacementCall, answer: Answer): boolean {
  switch (answer.type) {
    case "reply":
      turn.effects.push({ type: "reply", ticket, reply: answer.reply });
      return true;
    case "refuse":
      turn.effects.push({ type: "refuse", ticket, code: answer.code, message: answer.message });
      return true;
    case "propose":
      turn.proposals.push({ command: answer.command, purpose: { type: "call", ticket, call } });
      return true;
    case "later":
      return false;
    default:
      return unreachable(answer);
  }
}

/** Changes which calls wait. */
export function keepHeld(turn: Turn, held: readonly Held[]): void {
  const { leadership } = turn.draft;
  assert(leadership !== undefined, "only a leader lets calls wait");
  turn.draft.leadership = withHeld(leadership, held);
}

/** Changes some fields of the leadership that `turn` is in. For what is rare. */
export function amend(turn: Turn, changes: Partial<Leadership>): void {
  const { leadership } = turn.draft;
  assert(leadership !== undefined, "only a leader has a leadership");
  turn.draft.leadership = { ...leadership, ...changes };
}
