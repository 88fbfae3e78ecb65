/**
 * A group in memory for tests: members, the disk of each as `persist` and `restore` effects leave
 * it, and the messages under way. Nothing happens by itself; a test delivers, drops, repeats,
 * crashes and lets time pass.
 */
import { LogIndex, PeerId, Term, Ticket } from "../../engine/base/ids.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type {
  Configuration,
  Entry,
  HardState,
  RaftConfig,
  RaftEffect,
  RaftInput,
  RaftMessage,
  SnapshotMetadata,
} from "../../engine/raft/types.ts";
import { createWire } from "../../engine/base/wire.ts";
import { messageFromTuple, messageToTuple } from "../../engine/raft/codec.ts";
import { NO_MEMBERS } from "../../engine/raft/configuration.ts";
import * as query from "../../engine/raft/query.ts";
import { restore, start } from "../../engine/raft/start.ts";
import { step } from "../../engine/raft/step.ts";

export const id = (value: number): PeerId => PeerId(value);

/** A message under way. */
export interface Packet {
  readonly from: PeerId;
  readonly to: PeerId;
  readonly message: RaftMessage;
}

/** What survives a crash of one member. */
export interface Disk {
  hardState: HardState;
  truncated: { index: LogIndex; term: Term };
  entries: Entry[];
  /** The state machine: every applied entry, and its configuration. Durable at once. */
  applied: LogIndex;
  configuration: Configuration;
  /** The state machine's data is gone; a snapshot brings it back. */
  lost: boolean;
}

export interface Member {
  state: RaftState;
  readonly disk: Disk;
  /** Writes handed over and not done. */
  pending: Extract<RaftEffect, { type: "persist" | "restore" }>[];
  /** Pages handed out and not applied. */
  pages: Extract<RaftEffect, { type: "apply" }>[];
  crashed: boolean;
  /** What the driver was told, newest last. */
  told: RaftEffect[];
}

export interface ClusterOptions {
  readonly voters?: number;
  readonly learners?: number;
  readonly config?: Partial<RaftConfig>;
  /** Whether writes and pages wait for `persist` and `apply`. */
  readonly manual?: boolean;
  /** Whether messages pass through the codec. */
  readonly codec?: boolean;
}

const DEFAULTS: Omit<RaftConfig, "id" | "seed"> = {
  heartbeatMs: 100,
  electionMs: 1000,
  leaseMs: 900,
  preVote: true,
  checkQuorum: true,
  priority: 0,
  maxAppendBytes: 1 << 20,
  maxApplyBytes: 1 << 20,
  maxInflightMessages: 64,
  maxInflightBytes: 1 << 22,
  maxUncommittedBytes: 1 << 26,
};

export function configFor(
  peer: PeerId,
  seed: number,
  change: Partial<RaftConfig> = {},
): RaftConfig {
  return { ...DEFAULTS, id: peer, seed, ...change };
}

export function votersOf(...peers: number[]): Configuration {
  return { ...NO_MEMBERS, voters: peers.map(id) };
}

export const command = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export class Cluster {
  readonly members: Map<PeerId, Member> = new Map();
  network: Packet[] = [];
  /** Transfers of snapshots whose end has not been reported. */
  snapshots: { readonly from: PeerId; readonly to: PeerId; readonly index: LogIndex }[] = [];
  now = 0;
  /** Every entry ever applied anywhere, by index: the one history all must share. */
  readonly history: Map<number, Entry> = new Map();
  /** The monotonic clock of a member at a moment of true time. */
  clock: (peer: PeerId, now: number) => number = (_, now) => now;
  /** Called after every step. */
  onStep: (peer: PeerId, before: RaftState, after: RaftState) => void = () => {};
  private readonly options: ClusterOptions;
  private readonly wire = createWire();
  private seeds = 1;

  constructor(options: ClusterOptions = {}) {
    this.options = options;
    const voters = options.voters ?? 3;
    const configuration: Configuration = {
      ...NO_MEMBERS,
      voters: range(1, voters),
      learners: range(voters + 1, options.learners ?? 0),
    };
    for (const peer of [...configuration.voters, ...configuration.learners]) {
      this.add(peer, { index: LogIndex(0), term: Term(0), configuration });
    }
  }

  /** A new member, by default one that knows nothing. */
  add(
    peer: PeerId,
    from: SnapshotMetadata = { index: LogIndex(0), term: Term(0), configuration: NO_MEMBERS },
    change: Partial<RaftConfig> = {},
  ): Member {
    const member: Member = {
      state: start(this.config(peer, change), from, this.clock(peer, this.now)),
      disk: {
        hardState: { term: from.term, vote: id2(0), commit: from.index },
        truncated: { index: from.index, term: from.term },
        entries: [],
        applied: from.index,
        configuration: from.configuration,
        lost: false,
      },
      pending: [],
      pages: [],
      crashed: false,
      told: [],
    };
    this.members.set(peer, member);
    return member;
  }

  private config(peer: PeerId, change: Partial<RaftConfig>): RaftConfig {
    return configFor(peer, this.seeds++, { ...this.options.config, ...change });
  }

  member(peer: number): Member {
    return this.members.get(id(peer))!;
  }

  state(peer: number): RaftState {
    return this.member(peer).state;
  }

  /** One input; its effects are kept for the test, or performed at once. */
  input(peer: number, input: RaftInput): readonly RaftEffect[] {
    const member = this.member(peer);
    if (member.crashed) return [];
    const before = member.state;
    const { state, effects } = step(before, this.clock(id(peer), this.now), input);
    member.state = state;
    this.onStep(id(peer), before, state);
    for (const effect of effects) this.perform(id(peer), member, effect);
    if (this.options.manual !== true) this.finish(peer);
    return effects;
  }

  private perform(peer: PeerId, member: Member, effect: RaftEffect): void {
    member.told.push(effect);
    if (effect.type === "send") {
      this.network.push({ from: peer, to: effect.to, message: this.coded(effect.message) });
    } else if (effect.type === "persist" || effect.type === "restore") {
      // The state machine is replaced: a page still waiting has no place in it any more.
      if (effect.type === "restore") member.pages = [];
      member.pending.push(effect);
    } else if (effect.type === "apply") {
      member.pages.push(effect);
    } else if (effect.type === "send_snapshot") {
      this.sendSnapshot(peer, member, effect);
    }
  }

  /** The data of a snapshot is what all members share, so its metadata alone travels. */
  private sendSnapshot(
    from: PeerId,
    { disk, state }: Member,
    { to, atLeast }: Extract<RaftEffect, { type: "send_snapshot" }>,
  ): void {
    const index = disk.applied;
    const term = query.termAt(state, index);
    if (term === undefined) throw new Error("there is no such snapshot");
    this.snapshots.push({ from, to, index });
    // It is asked for again, of a leader that has its data or has come as far by then.
    if (disk.lost || index < atLeast) return;
    const metadata = { index, term, configuration: disk.configuration };
    this.network.push({ from, to, message: { type: "snapshot", term: state.term, metadata } });
  }

  private coded(message: RaftMessage): RaftMessage {
    if (this.options.codec !== true) return message;
    const decoded = this.wire.decode(this.wire.encode(messageToTuple(message)));
    if (!decoded.ok) throw new Error(decoded.reason);
    return messageFromTuple(decoded.value)!;
  }

  /** Performs all writes and pages of a member, and what follows from them. */
  finish(peer: number): void {
    const member = this.member(peer);
    while (!member.crashed && member.pending.length + member.pages.length > 0) {
      this.persist(peer);
      this.apply(peer);
    }
  }

  /** Writes up to `count` of the waiting writes and says so. */
  persist(peer: number, count: number = Number.POSITIVE_INFINITY): void {
    const member = this.member(peer);
    const done = member.pending.splice(0, count);
    for (const effect of done) write(member.disk, effect);
    const last = done.at(-1);
    if (last === undefined) return;
    for (const effect of done) {
      if (effect.type === "restore")
        this.input(peer, { type: "applied", index: effect.metadata.index });
    }
    this.input(peer, { type: "persisted", ticket: last.ticket });
  }

  /** The data of the member's state machine is gone; its log is not. */
  lose(peer: number): void {
    const member = this.member(peer);
    if (member.crashed) return;
    member.disk.lost = true;
    member.pages = [];
    this.input(peer, { type: "request_snapshot" });
  }

  /** The disk has everything, but nobody has heard of it. */
  persistUnannounced(peer: number): void {
    const member = this.member(peer);
    for (const effect of member.pending.splice(0)) write(member.disk, effect);
  }

  /** Applies the waiting page and says so. */
  apply(peer: number): void {
    const member = this.member(peer);
    const page = member.pages.shift();
    if (page === undefined) return;
    if (member.disk.lost) throw new Error(`${peer} applied entries without data`);
    for (const entry of page.entries) {
      if (entry.index !== member.disk.applied + 1) {
        throw new Error(`${peer} applied ${entry.index} behind ${member.disk.applied}`);
      }
      this.check(peer, entry);
      member.disk.applied = entry.index;
    }
    member.disk.configuration = configurationAt(member);
    this.input(peer, { type: "applied", index: member.disk.applied });
  }

  /** State-machine safety: nobody ever applies another entry at the same index. */
  private check(peer: number, entry: Entry): void {
    const known = this.history.get(entry.index);
    if (known === undefined) {
      this.history.set(entry.index, entry);
    } else if (known.term !== entry.term || textOf(known.data) !== textOf(entry.data)) {
      throw new Error(`member ${peer} applied another entry at ${entry.index}`);
    }
  }

  /** Delivers the packet at `at`; `keep` leaves a copy under way. */
  deliver(at = 0, keep = false): void {
    const packet = this.network[at];
    if (packet === undefined) return;
    if (!keep) this.network.splice(at, 1);
    if (!this.members.has(packet.to)) return;
    this.input(packet.to, { type: "received", from: packet.from, message: packet.message });
  }

  /** Delivers everything, and what follows from it, until nothing is under way. */
  settle(isLost: (packet: Packet) => boolean = () => false): void {
    for (let steps = 0; this.network.length > 0; steps++) {
      if (steps > 100_000) throw new Error("the network never becomes quiet");
      if (isLost(this.network[0]!)) this.network.shift();
      else this.deliver();
    }
  }

  /** Reports the end of the first unreported transfer of a snapshot. */
  reportSnapshot(ok: boolean): void {
    const done = this.snapshots.shift();
    if (done === undefined) return;
    this.input(done.from, { type: "snapshot_sent", peer: done.to, index: done.index, ok });
  }

  /** Lets time pass in steps of `tickMs`, delivering everything after each. */
  run(ms: number, isLost: (packet: Packet) => boolean = () => false, tickMs = 50): void {
    for (const end = this.now + ms; this.now < end;) {
      this.now += tickMs;
      for (const peer of this.members.keys()) this.input(peer, { type: "tick" });
      this.settle(isLost);
      while (this.snapshots.length > 0) this.reportSnapshot(true);
    }
  }

  /** Loses everything that is not on the disk. */
  crash(peer: number): void {
    const member = this.member(peer);
    this.snapshots = this.snapshots.filter(({ from }) => from !== peer);
    member.crashed = true;
    member.pending = [];
    member.pages = [];
  }

  restart(peer: number): void {
    const member = this.member(peer);
    const { entries, ...rest } = member.disk;
    const config = configFor(id(peer), this.seeds++, { ...member.state.config, seed: this.seeds });
    member.state = restore(
      config,
      { ...rest, entries: entries.slice() },
      this.clock(id(peer), this.now),
    );
    member.crashed = false;
    if (member.disk.lost) this.input(peer, { type: "request_snapshot" });
    this.input(peer, { type: "tick" });
  }

  /** Has `peer` elected, whoever led. */
  elect(peer: number): void {
    for (let round = 0; round < 20 && !query.isLeader(this.state(peer)); round++) {
      this.now += 1000;
      this.input(peer, { type: "campaign" });
      this.settle();
    }
    if (!query.isLeader(this.state(peer))) throw new Error(`${peer} was not elected`);
  }

  propose(peer: number, ...texts: string[]): readonly RaftEffect[] {
    return this.input(peer, { type: "propose", commands: texts.map(command) });
  }

  leaders(): number[] {
    return [...this.members]
      .filter(([, member]) => !member.crashed && query.isLeader(member.state))
      .map(([peer]) => peer);
  }

  /** The member's log as text, without the leaders' empty entries. */
  log(peer: number): string {
    return [...this.history.values()]
      .filter((entry) => entry.index <= this.member(peer).disk.applied && entry.type === "normal")
      .map((entry) => textOf(entry.data))
      .filter((text) => text !== "")
      .join(" ");
  }
}

const id2 = (value: number): PeerId => value as PeerId;

function range(first: number, count: number): PeerId[] {
  return Array.from({ length: count }, (_, at) => id(first + at));
}

function write(disk: Disk, effect: Extract<RaftEffect, { type: "persist" | "restore" }>): void {
  if (effect.type === "restore") {
    const { index, term, configuration } = effect.metadata;
    disk.hardState = effect.hardState;
    disk.truncated = { index, term };
    disk.entries = effect.entries.slice();
    disk.applied = index;
    disk.configuration = configuration;
    disk.lost = false;
    return;
  }
  if (effect.hardState !== undefined) disk.hardState = effect.hardState;
  const first = effect.entries[0];
  if (first === undefined) return;
  disk.entries.length = first.index - disk.truncated.index - 1;
  disk.entries.push(...effect.entries);
}

/** The configuration that a state machine with the member's applied index has. */
function configurationAt(member: Member): Configuration {
  let found = member.disk.configuration;
  for (const { index, configuration } of member.state.history) {
    if (index <= member.disk.applied) found = configuration;
  }
  return found;
}

export const ticket = (value: number): Ticket => Ticket(value);
