/**
 * Three replicas of one log in memory, the harness that `etcd/` is for etcd's library: every
 * message through the codec, every write durable at once, a log that is compacted far behind its
 * end.
 */
import { LogIndex, PeerId, Term } from "../../engine/base/ids.ts";
import { createWire } from "../../engine/base/wire.ts";
import { messageFromTuple, messageToTuple } from "../../engine/raft/codec.ts";
import { NO_MEMBERS } from "../../engine/raft/configuration.ts";
import * as query from "../../engine/raft/query.ts";
import { start } from "../../engine/raft/start.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import { step } from "../../engine/raft/step.ts";
import type { RaftConfig, RaftEffect, RaftInput } from "../../engine/raft/types.ts";

const COMPACT_EVERY = 10_000;

/** The limits of TiKV, as the peer has them; nothing is refused for what is not yet committed. */
const CONFIG: Omit<RaftConfig, "id" | "seed"> = {
  heartbeatMs: 100,
  electionMs: 1000,
  leaseMs: 900,
  preVote: true,
  checkQuorum: true,
  priority: 0,
  maxAppendBytes: 1 << 20,
  maxApplyBytes: 1 << 20,
  maxInflightMessages: 256,
  maxInflightBytes: 1 << 28,
  maxUncommittedBytes: 1 << 30,
};

interface Member {
  readonly id: PeerId;
  state: RaftState;
  inbox: { readonly from: PeerId; readonly bytes: Uint8Array }[];
}

export interface Group {
  propose(commands: readonly Uint8Array[]): void;
  /** Every member takes in what was sent to it and does what follows, once. */
  turn(): void;
  /** Proposals that the leader applied. */
  applied(): number;
}

/** Three voters; the first has won an election. Throws where it has not. */
export function createGroup(): Group {
  const ids = [PeerId(1), PeerId(2), PeerId(3)];
  const from = {
    index: LogIndex(0),
    term: Term(0),
    configuration: { ...NO_MEMBERS, voters: ids },
  };
  const members = ids.map((id): Member => ({
    id,
    state: start({ ...CONFIG, id, seed: id }, from, 0),
    inbox: [],
  }));
  const wire = createWire();
  const leader = members[0]!;
  // Past every lease that a start could have promised, and then standing still: nothing times out.
  const nowMs = 5000;
  let applied = 0;

  const input = (member: Member, given: RaftInput): void => {
    const { state, effects } = step(member.state, nowMs, given);
    member.state = state;
    for (const effect of effects) perform(member, effect);
  };
  const perform = (member: Member, effect: RaftEffect): void => {
    if (effect.type === "send") {
      const bytes = wire.encode(messageToTuple(effect.message));
      members[effect.to - 1]!.inbox.push({ from: member.id, bytes });
    } else if (effect.type === "persist") {
      input(member, { type: "persisted", ticket: effect.ticket });
    } else if (effect.type === "apply") {
      const last = effect.entries.at(-1)!;
      if (member === leader) {
        for (const entry of effect.entries) if (entry.data.length > 0) applied += 1;
      }
      input(member, { type: "applied", index: last.index });
      compact(member);
    }
  };
  const compact = (member: Member): void => {
    const index = query.applied(member.state) - COMPACT_EVERY;
    if (index - query.firstIndex(member.state) < COMPACT_EVERY) return;
    input(member, { type: "compact", index: LogIndex(index) });
  };
  const turn = (): void => {
    for (const member of members) {
      const { inbox } = member;
      member.inbox = [];
      for (const { from: sender, bytes } of inbox) {
        const tuple = wire.decode(bytes);
        const message = tuple.ok ? messageFromTuple(tuple.value) : undefined;
        if (message === undefined) throw new Error("a message did not survive the codec");
        input(member, { type: "received", from: sender, message });
      }
    }
  };

  input(leader, { type: "campaign" });
  for (let round = 0; round < 20; round += 1) turn();
  if (!query.isLeader(leader.state)) throw new Error("the first member was not elected");
  return {
    propose: (commands) => {
      input(leader, { type: "propose", commands });
    },
    turn,
    applied: () => applied,
  };
}
