/** Raft's safety as checks of a whole group after every step; each throws a sentence. */
import type { LogIndex, PeerId } from "../../engine/base/ids.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { Cluster } from "./cluster.ts";
import * as logs from "../../engine/raft/log.ts";
import { leaseValid } from "../../engine/raft/query.ts";

export class Invariants {
  private readonly leaders = new Map<number, PeerId>();
  /** index/term of every entry ever seen, with the term before it and its data. */
  private readonly entries = new Map<string, string>();
  private readonly committed = new Map<number, number>();
  private readonly votes = new Map<PeerId, { term: number; vote: number }>();
  /** The highest index that anybody knows to be committed. */
  maxCommitted = 0;
  private readonly group: Cluster;

  constructor(group: Cluster) {
    this.group = group;
    group.onStep = (peer, before, after) => this.check(peer, before, after);
  }

  private check(peer: PeerId, before: RaftState, after: RaftState): void {
    this.monotone(peer, before, after);
    this.logMatching(after);
    this.configurationFollowsLog(peer, after);
    this.commits(peer, before, after);
    if (after.role === "leader") this.leadership(peer, before, after);
    this.persistedVote(peer);
    this.leases();
  }

  private monotone(peer: PeerId, before: RaftState, after: RaftState): void {
    demand(after.term >= before.term, `the term of ${peer} fell`);
    demand(after.commit >= before.commit, `the commit index of ${peer} fell`);
    demand(after.applied >= before.applied, `the applied index of ${peer} fell`);
    demand(after.applied <= after.commit, `${peer} applied what is not committed`);
    demand(after.commit <= after.log.last, `${peer} committed what it does not have`);
    demand(after.durable <= after.written, `${peer} trusts what it has not written`);
    demand(after.written === after.log.last, `${peer} ended a step with entries not handed over`);
    const sameTerm = before.term === after.term;
    demand(!sameTerm || before.vote === 0 || before.vote === after.vote, `${peer} voted twice`);
  }

  /** Entries with the same index and term are the same, and so is everything before them. */
  private logMatching({ log }: RaftState): void {
    for (let index = log.last; index > log.base; index = (index - 1) as LogIndex) {
      const entry = logs.entryAt(log, index);
      demand(entry.index === index, "an entry lies at its index");
      const previous = logs.termAt(log, (index - 1) as LogIndex);
      const text = `${previous}:${entry.type}:${[...entry.data].join(",")}`;
      const known = this.entries.get(`${index}/${entry.term}`);
      if (known === text) return;
      demand(known === undefined, `two entries ${index}/${entry.term}`);
      this.entries.set(`${index}/${entry.term}`, text);
    }
  }

  private configurationFollowsLog(peer: PeerId, { history, log }: RaftState): void {
    const base = history[0]!.index;
    const placed = new Set(history.slice(1).map(({ index }) => index as number));
    for (let index = Math.max(base, log.base) + 1; index <= log.last; index++) {
      const entry = logs.entryAt(log, index as LogIndex);
      demand(
        placed.delete(index) === (entry.type === "configuration"),
        `${peer} is under a configuration that is not the last of its log`,
      );
    }
    demand(placed.size === 0, `${peer} is under a configuration that its log has lost`);
  }

  private commits(peer: PeerId, before: RaftState, after: RaftState): void {
    for (let index = before.commit + 1; index <= after.commit; index++) {
      const term = logs.termAt(after.log, index as LogIndex);
      if (term === undefined) continue;
      const known = this.committed.get(index);
      demand(known === undefined || known === term, `${peer} committed another entry at ${index}`);
      this.committed.set(index, term);
      this.maxCommitted = Math.max(this.maxCommitted, index);
    }
  }

  private leadership(peer: PeerId, before: RaftState, after: RaftState): void {
    const known = this.leaders.get(after.term);
    demand(known === undefined || known === peer, `two leaders in term ${after.term}`);
    this.leaders.set(after.term, peer);
    if (before.role === "leader" && before.term === after.term) {
      const kept = logs.termAt(after.log, before.log.last) === before.log.lastTerm;
      demand(kept, `leader ${peer} changed its own log`);
      return;
    }
    for (const [index, term] of this.committed) {
      if (index <= after.log.base) continue;
      const has = logs.termAt(after.log, index as LogIndex) === term;
      demand(has, `leader ${peer} of term ${after.term} lacks the committed entry ${index}`);
    }
  }

  private persistedVote(peer: PeerId): void {
    const { term, vote } = this.group.members.get(peer)!.disk.hardState;
    const old = this.votes.get(peer) ?? { term: 0, vote: 0 };
    demand(term >= old.term, `the term on the disk of ${peer} fell`);
    const changed = term === old.term && old.vote !== 0 && vote !== old.vote;
    demand(!changed, `the vote on the disk of ${peer} changed`);
    this.votes.set(peer, { term, vote });
  }

  /** At most one member may serve reads alone, and it knows everything that is committed. */
  private leases(): void {
    let holder: PeerId | undefined;
    for (const [peer, { state, crashed }] of this.group.members) {
      if (crashed || !leaseValid(state, this.group.clock(peer, this.group.now))) continue;
      demand(holder === undefined, `${holder} and ${peer} hold a lease at once`);
      demand(state.commit >= this.maxCommitted, `${peer} holds a lease and misses commits`);
      holder = peer;
    }
  }
}

function demand(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(sentence);
}
