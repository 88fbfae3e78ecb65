/** Random lives of a group: each pair of numbers is one thing that happens. */
import type { PeerId } from "../../engine/base/ids.ts";
import type { MemberChange } from "../../engine/raft/types.ts";
import { EMPTY_BYTES } from "../../engine/base/bytes.ts";
import * as query from "../../engine/raft/query.ts";
import { Cluster, id, ticket } from "./cluster.ts";
import type { ClusterOptions } from "./cluster.ts";
import { Invariants } from "./invariants.ts";

export interface ChaosOptions extends ClusterOptions {
  /** Members in all; those that are no voters at first begin empty and outside. */
  readonly members: number;
  readonly membership: boolean;
  /** Whether members lose their data, never so many that none has it. */
  readonly losses?: boolean;
}

export type Event = readonly [kind: number, detail: number];

interface Asked {
  readonly by: number;
  readonly commit: number;
}

export class Chaos {
  readonly group: Cluster;
  readonly invariants: Invariants;
  private readonly options: ChaosOptions;
  private readonly asked = new Map<number, Asked>();
  private readonly cut = new Set<string>();
  private readonly clocks = new Map<PeerId, { offset: number; rate: number }>();
  private readonly seen = new Map<number, number>();
  private nextTicket = 1;
  private proposals = 0;

  constructor(options: ChaosOptions) {
    this.options = options;
    this.group = new Cluster({ ...options, manual: true });
    for (let peer = 1; peer <= options.members; peer++) {
      if (!this.group.members.has(id(peer))) this.group.add(id(peer));
      // A lease of 700 lasts at most 778, a promise of 1000 at least 909.
      this.clocks.set(id(peer), { offset: peer * 1000, rate: 90 + ((peer * 7) % 21) });
    }
    this.group.clock = (peer, now) => {
      const { offset, rate } = this.clocks.get(peer)!;
      return offset + (now * rate) / 100;
    };
    this.invariants = new Invariants(this.group);
  }

  happen([kind, detail]: Event): void {
    const { group } = this;
    const peer = 1 + (detail % this.options.members);
    const rest = Math.floor(detail / this.options.members);
    if (kind < 400) for (let i = 0; i <= kind % 6; i++) this.deliver(rest, true, false);
    else if (kind < 420) this.deliver(rest, false, kind % 2 === 0);
    else if (kind < 560) this.tick(rest % 8 === 0 ? 300 : 30);
    else if (kind < 720) group.persist(peer, 1 + (rest % 3));
    else if (kind < 800) group.apply(peer);
    else if (kind < 860) this.propose(peer, 1 + (rest % 3));
    else if (kind < 880) this.read(peer);
    else if (kind < 900) this.crashOrRestart(peer, rest);
    else if (kind < 912) group.input(peer, { type: "campaign" });
    else if (kind < 924) this.transfer(1 + (rest % this.options.members));
    else if (kind < 930) this.compact(peer);
    else if (kind < 946) group.reportSnapshot(rest % 2 === 0);
    else if (kind < 950) this.cutOrHeal(peer, 1 + (rest % this.options.members));
    else if (kind < 954) this.cut.clear();
    else if (kind < 957 && this.options.losses === true) this.lose(peer);
    else if (kind < 960) group.input(peer, { type: "unreachable", peer: id(1 + (rest % 3)) });
    else this.change(peer, rest);
    this.noteReads();
  }

  private deliver(choice: number, inOrder: boolean, keep: boolean): void {
    const { network } = this.group;
    if (network.length === 0) return;
    const at = inOrder ? 0 : choice % network.length;
    const { from, to } = network[at]!;
    if (this.cut.has(`${from}>${to}`) || network.length > 200) network.splice(at, 1);
    else this.group.deliver(at, keep);
  }

  private tick(ms: number): void {
    this.group.now += ms;
    for (const peer of this.group.members.keys()) this.group.input(peer, { type: "tick" });
  }

  private leaderOr(peer: number): number {
    return this.group.leaders().at(-1) ?? peer;
  }

  private propose(peer: number, count: number): void {
    const texts = Array.from({ length: count }, () => `p${this.proposals++}`);
    this.group.propose(this.leaderOr(peer), ...texts);
  }

  private read(peer: number): void {
    const number = this.nextTicket++;
    this.asked.set(number, { by: peer, commit: this.invariants.maxCommitted });
    this.group.input(peer, { type: "read", ticket: ticket(number) });
  }

  /** A read must see everything that was committed before it was asked for. */
  private noteReads(): void {
    for (const [peer, member] of this.group.members) {
      const from = this.seen.get(peer) ?? 0;
      for (const effect of member.told.slice(from)) {
        if (effect.type !== "read_ready") continue;
        const asked = this.asked.get(effect.ticket);
        if (asked === undefined || asked.by !== peer) throw new Error("a read nobody asked for");
        if (effect.index < asked.commit) throw new Error(`${peer} was given a stale read index`);
      }
      this.seen.set(peer, member.told.length);
    }
  }

  private crashOrRestart(peer: number, rest: number): void {
    const { crashed, pending } = this.group.member(peer);
    if (crashed) {
      // The clock's origin means nothing, and is another after a restart.
      const clock = this.clocks.get(id(peer))!;
      this.clocks.set(id(peer), { offset: rest % 5000, rate: clock.rate });
      this.group.restart(peer);
    } else {
      if (rest % 2 === 0 && pending.length > 0) this.group.persistUnannounced(peer);
      this.group.crash(peer);
    }
  }

  private lose(peer: number): void {
    const { group } = this;
    const { disk, pending } = group.member(peer);
    // Somebody else must still have what is lost here: the log may be without it.
    const held = [...group.members].some(
      ([other, { disk: theirs }]) =>
        other !== peer && !theirs.lost && theirs.applied >= disk.applied,
    );
    if (held && !pending.some(({ type }) => type === "restore")) group.lose(peer);
  }

  private compact(peer: number): void {
    const index = query.applied(this.group.state(peer));
    this.group.input(peer, { type: "compact", index });
  }

  private transfer(to: number): void {
    this.group.input(this.leaderOr(to), { type: "transfer_leader", to: id(to) });
  }

  private cutOrHeal(from: number, to: number): void {
    const link = `${from}>${to}`;
    if (!this.cut.delete(link)) this.cut.add(link);
  }

  private change(peer: number, rest: number): void {
    if (!this.options.membership) return;
    const leader = this.leaderOr(peer);
    const { voters, learners } = query.configuration(this.group.state(leader));
    const changes: MemberChange[] = [];
    for (let at = 0; at < (rest % 2 === 0 ? 1 : 2 + (rest % 3)); at++) {
      const subject = id(1 + ((peer + at) % this.options.members));
      const choice = (rest >> (4 + at)) % 2;
      const types: MemberChange["type"][] = voters.includes(subject)
        ? ["add_learner", "remove"]
        : ["add_voter", learners.includes(subject) ? "remove" : "add_learner"];
      changes.push({ type: types[choice]!, peer: subject });
    }
    const change = { changes: rest % 11 === 0 ? [] : changes, context: EMPTY_BYTES };
    this.group.input(leader, { type: "propose_change", change });
  }

  /** Heals everything; the group must then have one leader and one log, and take a command. */
  recover(): void {
    const { group } = this;
    this.cut.clear();
    for (const peer of group.members.keys()) {
      if (group.member(peer).crashed) group.restart(peer);
    }
    for (let round = 0; round < 400; round++) {
      this.tick(50);
      for (let i = 0; i < 20; i++) {
        for (const peer of group.members.keys()) group.finish(peer);
        group.settle();
      }
      while (group.snapshots.length > 0) group.reportSnapshot(true);
      if (round === 300) this.propose(1, 1);
    }
    this.noteReads();
    const leaders = group.leaders();
    if (leaders.length !== 1) throw new Error(`${leaders.length} leaders after recovery`);
    const { state } = group.member(leaders[0]!);
    const { voters, learners } = query.configuration(state);
    for (const peer of [...voters, ...learners]) {
      const { applied } = group.state(peer);
      if (applied !== state.log.last) throw new Error(`${peer} does not catch up`);
    }
  }
}
