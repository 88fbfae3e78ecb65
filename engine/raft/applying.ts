/**
 * What is committed, and handing it to the state machine: contiguous pages of entries that are
 * committed by the group and durable on this node, one at a time.
 */
import type { LogIndex } from "../base/ids.ts";
import type { Draft, RaftState } from "./state.ts";
import type { Turn } from "./turn.ts";
import { assert } from "../base/assert.ts";
import { minIndex, nextIndex } from "../base/ids.ts";
import { slice } from "./log.ts";
import { endRestore } from "./writing.ts";

/** Moves the commit index up to `index`; never down. */
export function commitTo(turn: Turn, index: LogIndex): void {
  const { draft } = turn;
  if (index <= draft.commit) return;
  assert(index <= draft.log.last, "only what is in the log is committed");
  draft.commit = index;
}

/** Whether a page of committed and durable entries waits to be applied. */
export function isApplyDue(state: RaftState | Draft): boolean {
  return (
    state.restoring === undefined &&
    !state.lacking &&
    state.handedOut === state.applied &&
    state.commit > state.applied &&
    state.durable > state.applied
  );
}

/** Hands out the next page, if the last one is applied. */
export function handOutPage(turn: Turn): void {
  const { draft } = turn;
  if (!isApplyDue(draft)) return;
  const to = minIndex(draft.commit, draft.durable);
  const entries = slice(draft.log, nextIndex(draft.applied), to, draft.config.maxApplyBytes);
  draft.handedOut = entries[entries.length - 1]!.index;
  assert(draft.handedOut <= to, "only what is committed and durable is applied");
  turn.effects.push({ type: "apply", entries });
}

/** The state machine holds everything up to `index`. */
export function onApplied(turn: Turn, index: LogIndex): void {
  const { draft } = turn;
  assert(index <= draft.handedOut, "only what was handed out is applied");
  if (index <= draft.applied) return;
  draft.applied = index;
  endRestore(turn);
}
