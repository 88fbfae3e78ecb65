/**
 * Conversations of whole groups as text. A transcript is read by people when it changes: look at
 * the difference before rewriting it with `UPDATE=1`.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { is } from "uvu/assert";
import { EMPTY_BYTES } from "../../engine/base/bytes.ts";
import { LogIndex, PeerId, Term } from "../../engine/base/ids.ts";
import {
  describeEffect,
  describeInput,
  describeMessage,
  describeState,
} from "../../engine/raft/describe.ts";
import type { RaftInput } from "../../engine/raft/types.ts";
import { suite } from "../harness.ts";
import { Cluster, id } from "./cluster.ts";

const test = suite("raft: transcripts");

/** Compiled tests run from `dist/test/raft`; transcripts lie in the sources. */
const folder = fileURLToPath(new URL("../../../test/golden/", import.meta.url));

/** A group that writes down what happens to it. */
class Transcript {
  readonly group: Cluster;
  private readonly lines: string[] = [];
  private readonly name: string;

  constructor(name: string, group: Cluster) {
    this.name = name;
    this.group = group;
  }

  say(text: string): void {
    this.lines.push(`# ${text}`);
  }

  /** One input, and everything that follows from it until the network is quiet. */
  input(peer: number, input: RaftInput, isLost: (to: number) => boolean = () => false): void {
    this.step(peer, input);
    this.finish(peer);
    while (this.group.network.length > 0) {
      const { from, to, message } = this.group.network.shift()!;
      if (isLost(to)) {
        this.lines.push(`  lost: ${from} -> ${to} ${describeMessage(message)}`);
        continue;
      }
      this.step(to, { type: "received", from, message });
      this.finish(to);
    }
    this.lines.push("");
  }

  private step(peer: number, input: RaftInput): void {
    this.lines.push(`${peer} <- ${describeInput(input)}`);
    for (const effect of this.group.input(peer, input)) {
      this.lines.push(`    ${describeEffect(effect)}`);
    }
  }

  private finish(peer: number): void {
    const member = this.group.member(peer);
    while (member.pending.length + member.pages.length > 0) {
      this.note(peer, () => this.group.persist(peer));
      this.note(peer, () => this.group.apply(peer));
    }
  }

  private note(peer: number, act: () => void): void {
    const { told } = this.group.member(peer);
    const from = told.length;
    act();
    for (const effect of told.slice(from)) {
      this.lines.push(`  ${peer} then ${describeEffect(effect)}`);
    }
  }

  states(): void {
    for (const [peer, { state }] of this.group.members) {
      this.lines.push(`  ${peer} is ${describeState(state)}`);
    }
    this.lines.push("");
  }

  /** Compares with the transcript on record. */
  check(): void {
    const file = `${folder}raft-${this.name}.txt`;
    const text = `${this.lines.join("\n").trimEnd()}\n`;
    if (process.env["UPDATE"] === "1") {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, text);
    }
    is(existsSync(file) ? readFileSync(file, "utf8") : "no transcript", text);
  }
}

function transcript(name: string, voters = 3): Transcript {
  const group = new Cluster({ voters, manual: true });
  group.now = 5000;
  return new Transcript(name, group);
}

const propose = (...texts: string[]): RaftInput => ({
  type: "propose",
  commands: texts.map((text) => new TextEncoder().encode(text)),
});

test("an election", () => {
  const t = transcript("election");
  t.say("member 1 campaigns: a pre-vote, then a vote, then its first entry");
  t.input(1, { type: "campaign" });
  t.states();
  t.say("a heartbeat");
  t.group.now += 100;
  t.input(1, { type: "tick" });
  t.check();
});

test("replication over a conflict", () => {
  const t = transcript("conflict");
  t.input(3, { type: "campaign" });
  t.say("what the leader is given now reaches nobody");
  t.input(3, propose("x", "y", "z"), () => true);
  t.group.now += 1500;
  t.say("member 1 is elected by member 2, and takes two commands");
  t.input(1, { type: "campaign" }, (to) => to === 3);
  t.input(1, propose("a", "b"), (to) => to === 3);
  t.states();
  t.say("then 3 is reachable");
  t.group.now += 100;
  t.input(1, { type: "tick" });
  t.states();
  t.check();
});

test("a snapshot", () => {
  const t = transcript("snapshot");
  t.input(1, { type: "campaign" }, (to) => to === 3);
  t.input(1, propose("a", "b"), (to) => to === 3);
  t.say("the leader forgets what 3 never got");
  t.input(1, { type: "compact", index: LogIndex(3) });
  t.group.now += 100;
  t.say("the snapshot's data travels outside; the offer below stands for its arrival");
  t.input(1, { type: "tick" });
  t.input(1, { type: "snapshot_sent", peer: id(3), index: LogIndex(3), ok: true });
  t.input(1, propose("c"));
  t.states();
  t.check();
});

test("a joint change of membership", () => {
  const t = transcript("joint");
  t.input(1, { type: "campaign" });
  for (const peer of [4, 5]) t.group.add(id(peer));
  t.say("4 and 5 replace 2 and 3");
  const changes = [
    { type: "add_voter", peer: PeerId(4) },
    { type: "add_voter", peer: PeerId(5) },
    { type: "remove", peer: PeerId(2) },
    { type: "remove", peer: PeerId(3) },
  ] as const;
  t.input(1, { type: "propose_change", change: { changes, context: EMPTY_BYTES } });
  t.say("with the next tick 4 and 5 hear that the change is complete");
  t.input(1, { type: "tick" });
  t.states();
  t.check();
});

test("a transfer of leadership", () => {
  const t = transcript("transfer");
  t.input(1, { type: "campaign" });
  t.say("to a member that lags behind");
  t.input(1, propose("a"), (to) => to === 3);
  t.input(1, { type: "transfer_leader", to: id(3) });
  t.say("still unanswered: the append that 3 has lost is repeated after a heartbeat");
  t.group.now += 100;
  t.input(1, { type: "tick" });
  t.states();
  is(t.group.state(3).term, Term(2));
  t.check();
});

test.run();
