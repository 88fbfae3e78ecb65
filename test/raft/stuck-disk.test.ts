/** A leader whose own disk takes nothing, while the disks of others do. */
import { equal, is } from "uvu/assert";
import { suite } from "../harness.ts";
import { accepted, echo, settledLeader, ticket } from "./conversation.ts";
import type { Member } from "./conversation.ts";

const test = suite("raft: stuck disk");

/** Lets heartbeats pass, which all answer; gives whom the leader tells to campaign. */
function tellsToCampaign(leader: Member, heartbeats: number): (number | undefined)[] {
  const told: (number | undefined)[] = [];
  for (let i = 0; i < heartbeats; i++) {
    leader.tick(100);
    for (const peer of [2, 3]) leader.receive(peer, echo(1, leader.now));
    told.push(leader.sent("timeout_now")[0]?.to);
  }
  return told.filter((peer) => peer !== undefined);
}

test("a leader that cannot make durable what others have hands over within two election timeouts", () => {
  const leader = settledLeader();
  leader.propose("a");
  for (const peer of [2, 3]) leader.receive(peer, accepted(1, 2));
  equal([leader.state.commit, leader.state.durable], [2, 1]);
  equal(tellsToCampaign(leader, 9), []);
  const [first] = tellsToCampaign(leader, 11);
  is(first, 2);
});

test("a disk that is slower than the others' but moves is no reason", () => {
  const leader = settledLeader();
  for (let i = 0; i < 30; i++) {
    leader.propose(`${i}`);
    for (const peer of [2, 3]) leader.receive(peer, accepted(1, i + 2));
    // Always some writes behind the others.
    if (i > 3) leader.input({ type: "persisted", ticket: ticket(leader.state.durableTicket + 1) });
    equal(tellsToCampaign(leader, 1), []);
  }
});

test("a leader whose followers do not have it either waits for them", () => {
  const leader = settledLeader();
  leader.propose("a");
  equal(tellsToCampaign(leader, 30), []);
});

test("a leader that has handed over in vain tries again", () => {
  const leader = settledLeader();
  leader.propose("a");
  for (const peer of [2, 3]) leader.receive(peer, accepted(1, 2));
  const told = tellsToCampaign(leader, 40);
  equal([told.length > 2, leader.state.role], [true, "leader"]);
  leader.finish();
  tellsToCampaign(leader, 10);
  equal(tellsToCampaign(leader, 20), []);
  is(leader.state.applied, 2);
});

test.run();
