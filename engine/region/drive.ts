/**
 * Feeds a replica's Raft group and does what it answers. All ways into a group lead through
 * `drive`.
 */
import { unreachable } from "../base/assert.ts";
import type { PeerId, Term } from "../base/ids.ts";
import { step } from "../raft/step.ts";
import type { RaftEffect, RaftInput } from "../raft/types.ts";
import { applyEntries } from "./apply.ts";
import { sendMessage } from "./envelope.ts";
import { dropProposal, noteProposed, type Proposal } from "./propose.ts";
import { dropReads, noteReadIndex, serveReads } from "./reads.ts";
import { type Replica, regionId, withRaft, withReplica } from "./replica.ts";
import { install } from "./snapshot/restore.ts";
import { startSending } from "./snapshot/send.ts";
import { noteNews, type Turn } from "./turn.ts";

/**
 * Steps the group with `input` and with everything that follows from it at once. `proposals` are
 * the calls behind a `propose` input. Returns the replica, or undefined where applying an entry
 * has destroyed it; either way the registry is up to date.
 */
export function drive(
  turn: Turn,
  replica: Replica,
  input: RaftInput,
  proposals: readonly Proposal[] = [],
): Replica | undefined {
  // Effects of one step are done before the next step is taken: what they ask to be written, and
  // what they send, keeps its order.
  const inputs: RaftInput[] = [input];
  let current: Replica | undefined = replica;
  for (let i = 0; i < inputs.length && current !== undefined; i++) {
    const next = step(current.raft, turn.now.monotonicMs, inputs[i] as RaftInput);
    if (next.state !== current.raft) current = withRaft(current, next.state);
    for (const effect of next.effects) {
      current = perform(turn, current, effect, inputs, proposals);
      if (current === undefined) break;
    }
  }
  if (current !== undefined) {
    current = serveReads(turn, current);
    turn.replicas.put(current);
  }
  return current;
}

function perform(
  turn: Turn,
  replica: Replica,
  effect: RaftEffect,
  inputs: RaftInput[],
  proposals: readonly Proposal[],
): Replica | undefined {
  switch (effect.type) {
    case "send":
      sendMessage(turn, replica, effect.to, effect.message);
      return replica;
    case "persist":
      persist(turn, replica, effect);
      return replica;
    case "restore":
      return install(turn, replica, effect, inputs);
    case "apply": {
      const applied = applyEntries(turn, replica, effect.entries);
      if (applied === undefined) return applied;
      inputs.push({ type: "applied", index: applied.applied });
      // Regions that a split makes are not heard of on stores that have not applied it yet.
      if (applied.region !== replica.region) inputs.push({ type: "tell_commit" });
      if (applied.damaged !== undefined) inputs.push({ type: "request_snapshot" });
      return applied;
    }
    case "send_snapshot": {
      const sent = startSending(turn, replica, effect.to, effect.atLeast);
      inputs.push(...sent.inputs);
      return sent.replica;
    }
    case "read_ready":
      return noteReadIndex(turn, replica, effect);
    case "read_dropped":
      return dropReads(turn, replica, effect.ticket);
    case "proposed":
      return noteProposed(replica, proposals, effect.first, effect.term);
    case "proposal_dropped":
      dropProposal(turn, replica, proposals, effect.reason);
      return replica;
    case "status":
      noteStatus(turn, replica, effect.role, effect.term);
      return replica;
    default:
      return unreachable(effect);
  }
}

function persist(
  turn: Turn,
  replica: Replica,
  effect: Extract<RaftEffect, { type: "persist" }>,
): void {
  const region = regionId(replica);
  turn.records.push({
    type: "append",
    region,
    hardState: effect.hardState,
    entries: effect.entries,
  });
  turn.persisting.push({ region, peer: replica.peer.id as PeerId, ticket: effect.ticket });
}

function noteStatus(turn: Turn, replica: Replica, role: string, term: Term): void {
  noteNews(turn, regionId(replica));
  turn.effects.push({
    type: "log",
    level: "info",
    message: "raft role changed",
    fields: { region: replica.region.id, peer: replica.peer.id, role, term },
  });
}

/** Marks the replica as reported to the placement driver now. */
export const withReport = (replica: Replica, at: number): Replica =>
  withReplica(replica, { reportedAt: at });
