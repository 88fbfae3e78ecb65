/** The follower's side of replication (section 5.3 and Figure 2, AppendEntries, receiver). */
import type { LogIndex, PeerId } from "../base/ids.ts";
import type { Turn } from "./turn.ts";
import type { AppendRequest, Entry, HeartbeatRequest, RaftMessage } from "./types.ts";
import { assert, unreachable } from "../base/assert.ts";
import { minIndex, plusIndex, previousIndex } from "../base/ids.ts";
import { commitTo } from "./applying.ts";
import * as logs from "./log.ts";
import { askForSnapshot, heardLeader } from "./roles.ts";
import { hold, send } from "./turn.ts";
import { appendEntries, truncate } from "./writing.ts";

export function onAppendRequest(turn: Turn, from: PeerId, m: AppendRequest): void {
  const { draft } = turn;
  heardLeader(turn, from, m.sentAt);
  const last = plusIndex(m.previousIndex, m.entries.length);
  if (m.previousIndex < draft.commit) {
    // Up to the commit index both logs are the same for ever, so the check can begin there.
    const known = draft.commit - m.previousIndex;
    assertAgreed(turn, m.entries[Math.min(known, m.entries.length) - 1]);
    if (m.entries.length <= known) {
      accept(turn, from, draft.commit, m.sentAt);
      return;
    }
    take(turn, m.entries.slice(known));
  } else if (logs.termAt(draft.log, m.previousIndex) !== m.previousTerm) {
    refuse(turn, from, m);
    return;
  } else {
    take(turn, m.entries);
  }
  commitTo(turn, minIndex(m.commit, last));
  // What was verified, not what the log happens to hold behind it.
  accept(turn, from, last, m.sentAt);
}

/** A committed entry is the same in every log (section 5.4). */
function assertAgreed(turn: Turn, entry: Entry | undefined): void {
  if (entry === undefined || entry.index <= turn.draft.log.base) return;
  const term = logs.termAt(turn.draft.log, entry.index);
  assert(term === entry.term, "a leader has every committed entry");
}

/** Makes the log agree with `entries`, which follow a place where it agrees with the leader's. */
function take(turn: Turn, entries: readonly Entry[]): void {
  const { draft } = turn;
  let at = 0;
  while (at < entries.length) {
    const { index, term } = entries[at]!;
    if (logs.termAt(draft.log, index) !== term) break;
    at += 1;
  }
  if (at === entries.length) return;
  const first = entries[at]!.index;
  if (first <= draft.log.last) truncate(turn, previousIndex(first));
  appendEntries(turn, at === 0 ? entries : entries.slice(at));
}

/** Acknowledges everything up to `index`, as soon as it is durable. */
export function accept(turn: Turn, to: PeerId, index: LogIndex, sentAt: number): void {
  const { term } = turn.draft;
  hold(turn, to, {
    type: "append_response",
    term,
    index,
    rejected: false,
    hintIndex: 0 as LogIndex,
    hintTerm: 0 as typeof term,
    sentAt,
  });
}

function refuse(turn: Turn, to: PeerId, m: AppendRequest): void {
  const { log, term } = turn.draft;
  const hintIndex = logs.agreementBefore(log, m.previousIndex, m.previousTerm);
  const hintTerm = logs.termAt(log, hintIndex);
  assert(hintTerm !== undefined, "a follower agrees with its leader at its commit index at least");
  send(turn, to, {
    type: "append_response",
    term,
    index: m.previousIndex,
    rejected: true,
    hintIndex,
    hintTerm,
    sentAt: m.sentAt,
  });
}

export function onHeartbeatRequest(turn: Turn, from: PeerId, m: HeartbeatRequest): void {
  const { draft } = turn;
  heardLeader(turn, from, m.sentAt);
  commitTo(turn, m.commit);
  const { sentAt, round } = m;
  send(turn, from, { type: "heartbeat_response", term: draft.term, sentAt, round });
  if (draft.lacking) askForSnapshot(turn, from);
}

/**
 * A message of an earlier term. Its sender must learn of the later one, or it would go on for ever:
 * this member neither follows it nor, while others do, is elected.
 */
export function answerEarlierTerm(turn: Turn, to: PeerId, m: RaftMessage): void {
  const { term } = turn.draft;
  switch (m.type) {
    case "append_request":
    case "heartbeat_request":
    case "snapshot":
      send(turn, to, {
        type: "append_response",
        term,
        index: 0 as LogIndex,
        rejected: true,
        hintIndex: 0 as LogIndex,
        hintTerm: 0 as typeof term,
        sentAt: m.type === "snapshot" ? 0 : m.sentAt,
      });
      break;
    case "read_index_request": {
      const { ticket, note } = m;
      send(turn, to, { type: "read_index_response", term, ticket, index: 0 as LogIndex, note });
      break;
    }
    case "vote_request":
    case "vote_response":
    case "append_response":
    case "heartbeat_response":
    case "read_index_response":
    case "timeout_now":
    case "snapshot_request":
      // These ask for nothing any more.
      break;
    default:
      unreachable(m);
  }
}
