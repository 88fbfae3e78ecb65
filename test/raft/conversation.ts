/** One member in conversation with a test, which plays all the others, the disk and the clock. */
import { LogIndex, PeerId, Term, Ticket } from "../../engine/base/ids.ts";
import type { Durable, RaftState } from "../../engine/raft/state.ts";
import type {
  AppendRequest,
  AppendResponse,
  Configuration,
  Entry,
  HardState,
  RaftConfig,
  RaftEffect,
  RaftInput,
  RaftMessage,
  VoteRequest,
} from "../../engine/raft/types.ts";
import { reboot, restore, start } from "../../engine/raft/start.ts";
import { step } from "../../engine/raft/step.ts";
import { command, configFor, votersOf } from "./cluster.ts";

/** A term and a text: one entry. */
export type Line = readonly [term: number, text: string];

export class Member {
  state: RaftState;
  now: number;
  /** Effects since the last look, oldest first. */
  effects: RaftEffect[] = [];

  constructor(state: RaftState, now: number) {
    this.state = state;
    this.now = now;
  }

  input(input: RaftInput): readonly RaftEffect[] {
    const { state, effects } = step(this.state, this.now, input);
    this.state = state;
    this.effects.push(...effects);
    return effects;
  }

  receive(from: number, message: RaftMessage): readonly RaftEffect[] {
    return this.input({ type: "received", from: PeerId(from), message });
  }

  /** Everything handed to the disk is durable, everything handed out is applied. */
  finish(): this {
    for (;;) {
      const { ticket, durableTicket, handedOut, applied } = this.state;
      if (ticket > durableTicket) this.input({ type: "persisted", ticket });
      else if (handedOut > applied) this.input({ type: "applied", index: handedOut });
      else return this;
    }
  }

  /** Lets `ms` pass. */
  tick(ms: number): readonly RaftEffect[] {
    this.now += ms;
    return this.input({ type: "tick" });
  }

  /** Takes the effects so far. */
  look(): RaftEffect[] {
    return this.effects.splice(0);
  }

  /** Takes the effects so far and returns the messages of this type among them. */
  sent<T extends RaftMessage["type"]>(type: T): (Extract<RaftMessage, { type: T }> & To)[] {
    return this.look().flatMap((effect) =>
      effect.type === "send" && effect.message.type === type
        ? [{ ...(effect.message as Extract<RaftMessage, { type: T }>), to: effect.to }]
        : [],
    );
  }

  /** Takes the effects so far and returns those of this type. */
  took<T extends RaftEffect["type"]>(type: T): Extract<RaftEffect, { type: T }>[] {
    return this.look().filter((effect) => effect.type === type) as Extract<
      RaftEffect,
      { type: T }
    >[];
  }

  /** Comes back after a crash with what was durable. */
  restarted(): Member {
    const durable = reboot(this.state);
    return new Member(restore(this.state.config, durable, this.now), this.now);
  }

  propose(...texts: string[]): readonly RaftEffect[] {
    return this.input({ type: "propose", commands: texts.map(command) });
  }

  /** The terms of the entries in the log. */
  terms(): string {
    const { log } = this.state;
    return reboot({ ...this.state, durable: log.last })
      .entries.map(({ term }) => term)
      .join("");
  }
}

interface To {
  readonly to: PeerId;
}

interface MemberOptions {
  readonly id?: number;
  readonly configuration?: Configuration;
  /** The log, durable. */
  readonly log?: readonly Line[];
  readonly term?: number;
  readonly vote?: number;
  readonly commit?: number;
  readonly config?: Partial<RaftConfig>;
}

/** A member of a group of three (unless said otherwise) whose restart is long ago. */
export function memberWith(options: MemberOptions = {}): Member {
  const { log = [], commit = 0, config = {} } = options;
  const hardState: HardState = {
    term: Term(options.term ?? log.at(-1)?.[0] ?? 0),
    vote: PeerId(options.vote ?? 0),
    commit: LogIndex(commit),
  };
  const durable: Durable = {
    hardState,
    truncated: { index: LogIndex(0), term: Term(0) },
    entries: entriesOf(0, log),
    applied: LogIndex(0),
    configuration: options.configuration ?? votersOf(1, 2, 3),
  };
  const settings = configFor(PeerId(options.id ?? 1), 7, { preVote: false, ...config });
  const member = new Member(restore(settings, durable, 0), 5000);
  member.state = { ...member.state, electionAtMs: 6500 };
  return member;
}

/** A member that has never been. */
export function newMember(options: MemberOptions = {}): Member {
  const configuration = options.configuration ?? votersOf(1, 2, 3);
  const settings = configFor(PeerId(options.id ?? 1), 7, { preVote: false, ...options.config });
  const from = { index: LogIndex(0), term: Term(0), configuration };
  return new Member(start(settings, from, 5000), 5000);
}

/**
 * The leader of the next term, elected by member 2 (and 3, …); its first entry is durable on it
 * alone.
 */
export function leaderWith(options: MemberOptions = {}): Member {
  const member = memberWith(options);
  member.input({ type: "campaign" });
  member.finish();
  const { voters, outgoing } = options.configuration ?? votersOf(1, 2, 3);
  for (const voter of new Set([...voters, ...outgoing])) {
    if (voter === member.state.config.id || member.state.role === "leader") continue;
    const { term } = member.state;
    member.receive(voter, { type: "vote_response", term, pre: false, granted: true });
  }
  member.finish();
  member.look();
  return member;
}

/** The leader of term 1, whose first entry is committed and applied. The clock shows 5000. */
export function settledLeader(configuration: Configuration = votersOf(1, 2, 3)): Member {
  const leader = leaderWith({ configuration });
  for (const { peer } of leader.state.peers) leader.receive(peer, accepted(1, 1));
  leader.finish();
  leader.look();
  return leader;
}

/** Entries behind `previous`. */
export function entriesOf(previous: number, lines: readonly Line[]): Entry[] {
  return lines.map(([term, text], at) => ({
    index: LogIndex(previous + 1 + at),
    term: Term(term),
    type: "normal" as const,
    data: command(text),
  }));
}

export function append(
  term: number,
  previous: readonly [index: number, term: number],
  lines: readonly Line[] = [],
  commit = 0,
  sentAt = 0,
): AppendRequest {
  return {
    type: "append_request",
    term: Term(term),
    previousIndex: LogIndex(previous[0]),
    previousTerm: Term(previous[1]),
    entries: entriesOf(previous[0], lines),
    commit: LogIndex(commit),
    sentAt,
  };
}

export function accepted(term: number, index: number, sentAt = 0): AppendResponse {
  return { ...rejected(term, 0, [0, 0]), index: LogIndex(index), rejected: false, sentAt };
}

export function rejected(
  term: number,
  index: number,
  hint: readonly [index: number, term: number],
): AppendResponse {
  return {
    type: "append_response",
    term: Term(term),
    index: LogIndex(index),
    rejected: true,
    hintIndex: LogIndex(hint[0]),
    hintTerm: Term(hint[1]),
    sentAt: 0,
  };
}

export function heartbeat(term: number, commit = 0, sentAt = 0, round = 0): RaftMessage {
  return { type: "heartbeat_request", term: Term(term), commit: LogIndex(commit), sentAt, round };
}

export function echo(term: number, sentAt: number, round = 0): RaftMessage {
  return { type: "heartbeat_response", term: Term(term), sentAt, round };
}

export function askVote(
  term: number,
  last: readonly [index: number, term: number],
  change: Partial<VoteRequest> = {},
): VoteRequest {
  return {
    type: "vote_request",
    term: Term(term),
    pre: false,
    lastIndex: LogIndex(last[0]),
    lastTerm: Term(last[1]),
    transfer: undefined,
    priority: 0,
    ...change,
  };
}

export function vote(term: number, granted = true, pre = false): RaftMessage {
  return { type: "vote_response", term: Term(term), pre, granted };
}

export const ticket = (value: number): Ticket => Ticket(value);
