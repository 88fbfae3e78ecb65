/**
 * One line for people about every state, input, effect and message: traces and golden tests print
 * them.
 */
import type { RaftState } from "./state.ts";
import type { Configuration, Entry, RaftEffect, RaftInput, RaftMessage } from "./types.ts";
import { unreachable } from "../base/assert.ts";
import { inForce } from "./configuration.ts";

/** `leader term=2 vote=1 log=(0,7] commit=7 applied=6 durable=7 {1 2 3}` */
export function describeState(state: RaftState): string {
  const { role, term, vote, log, commit, applied, durable } = state;
  const members = describeConfiguration(inForce(state.history).configuration);
  const indexes = `log=(${log.base},${log.last}] commit=${commit} applied=${applied}`;
  return `${role} term=${term} vote=${vote} ${indexes} durable=${durable} ${members}`;
}

/** `{1 2 3}`, `{1 2 4 | outgoing 1 2 3 | learners 5}` */
export function describeConfiguration(configuration: Configuration): string {
  const { voters, outgoing, learners, learnersNext, autoLeave } = configuration;
  const parts = [voters.join(" ")];
  if (outgoing.length > 0) parts.push(`outgoing ${outgoing.join(" ")}`);
  if (learners.length > 0) parts.push(`learners ${learners.join(" ")}`);
  if (learnersNext.length > 0) parts.push(`learners next ${learnersNext.join(" ")}`);
  if (autoLeave) parts.push("auto leave");
  return `{${parts.join(" | ")}}`;
}

/** `5/2` (index/term), with a `c` where it holds a configuration. */
export function describeEntry(entry: Entry): string {
  return `${entry.index}/${entry.term}${entry.type === "configuration" ? "c" : ""}`;
}

export function describeMessage(m: RaftMessage): string {
  const head = `${m.type} term=${m.term}`;
  switch (m.type) {
    case "vote_request": {
      const kind = m.pre ? " pre" : "";
      const transfer = m.transfer === undefined ? "" : ` transfer=${m.transfer}`;
      return `${head}${kind} last=${m.lastIndex}/${m.lastTerm} priority=${m.priority}${transfer}`;
    }
    case "vote_response":
      return `${head}${m.pre ? " pre" : ""} ${m.granted ? "granted" : "refused"}`;
    case "append_request": {
      const previous = `previous=${m.previousIndex}/${m.previousTerm}`;
      return `${head} ${previous} entries=${describeEntries(m.entries)} commit=${m.commit}`;
    }
    case "append_response":
      return m.rejected
        ? `${head} rejected index=${m.index} hint=${m.hintIndex}/${m.hintTerm}`
        : `${head} accepted index=${m.index}`;
    case "heartbeat_request":
      return `${head} commit=${m.commit} round=${m.round}`;
    case "heartbeat_response":
      return `${head} round=${m.round}`;
    case "snapshot": {
      const { index, term, configuration } = m.metadata;
      return `${head} at=${index}/${term} ${describeConfiguration(configuration)}`;
    }
    case "read_index_request":
      return `${head} ticket=${m.ticket}`;
    case "read_index_response":
      return `${head} ticket=${m.ticket} index=${m.index}`;
    case "timeout_now":
      return `${head} sentAt=${m.sentAt}`;
    case "snapshot_request":
      return `${head} atLeast=${m.index}`;
    default:
      return unreachable(m);
  }
}

export function describeInput(input: RaftInput): string {
  switch (input.type) {
    case "tick":
    case "tell_commit":
    case "campaign":
    case "request_snapshot":
      return input.type;
    case "received":
      return `received from=${input.from} ${describeMessage(input.message)}`;
    case "propose":
      return `propose ${input.commands.length}`;
    case "propose_change": {
      const changes = input.change.changes.map(({ type, peer }) => `${type} ${peer}`);
      return `propose_change [${changes.join(", ")}]`;
    }
    case "read":
    case "persisted":
      return `${input.type} ticket=${input.ticket}`;
    case "transfer_leader":
      return `transfer_leader to=${input.to}`;
    case "applied":
    case "compact":
      return `${input.type} index=${input.index}`;
    case "snapshot_sent":
      return `snapshot_sent to=${input.peer} index=${input.index} ${input.ok ? "ok" : "failed"}`;
    case "unreachable":
      return `unreachable ${input.peer}`;
    default:
      return unreachable(input);
  }
}

export function describeEffect(effect: RaftEffect): string {
  switch (effect.type) {
    case "send":
      return `send to=${effect.to} ${describeMessage(effect.message)}`;
    case "persist": {
      const { hardState, entries } = effect;
      const hard =
        hardState === undefined
          ? ""
          : ` term=${hardState.term} vote=${hardState.vote} commit=${hardState.commit}`;
      return `persist ticket=${effect.ticket}${hard} entries=${describeEntries(entries)}`;
    }
    case "restore": {
      const { index, term, configuration } = effect.metadata;
      const members = describeConfiguration(configuration);
      const kept = effect.entries.length === 0 ? "" : ` entries=${describeEntries(effect.entries)}`;
      return `restore ticket=${effect.ticket} at=${index}/${term} ${members}${kept}`;
    }
    case "apply":
      return `apply ${describeEntries(effect.entries)}`;
    case "send_snapshot":
      return `send_snapshot to=${effect.to} atLeast=${effect.atLeast}`;
    case "read_ready":
      return `read_ready ticket=${effect.ticket} index=${effect.index}`;
    case "read_dropped":
      return `read_dropped ticket=${effect.ticket}`;
    case "proposed":
      return `proposed first=${effect.first} term=${effect.term}`;
    case "proposal_dropped":
      return `proposal_dropped ${effect.reason}`;
    case "status":
      return `status ${effect.role} term=${effect.term} leader=${effect.leader ?? "none"}`;
    default:
      return unreachable(effect);
  }
}

function describeEntries(entries: readonly Entry[]): string {
  if (entries.length === 0) return "[]";
  if (entries.length <= 4) return `[${entries.map(describeEntry).join(" ")}]`;
  const first = describeEntry(entries[0]!);
  const last = describeEntry(entries[entries.length - 1]!);
  return `[${first} … ${last}]`;
}
