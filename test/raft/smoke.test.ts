import { is, equal } from "uvu/assert";
import { suite } from "../harness.ts";
import { Cluster } from "./cluster.ts";

const test = suite("raft: a group lives");

test("three members elect a leader, replicate, and elect again after its crash", () => {
  const group = new Cluster({ codec: true });
  group.run(5000);
  is(group.leaders().length, 1);
  const first = group.leaders()[0]!;
  group.propose(first, "a", "b");
  group.settle();
  for (const peer of [1, 2, 3]) is(group.log(peer), "a b");
  group.crash(first);
  group.run(5000);
  const second = group.leaders()[0]!;
  group.propose(second, "c");
  group.settle();
  group.restart(first);
  group.run(1000);
  is(group.log(first), "a b c");
  equal(group.leaders(), [second]);
});

test("one member alone elects itself, commits and comes back with what it had", () => {
  const group = new Cluster({ voters: 1 });
  group.run(3000);
  group.propose(1, "a");
  is(group.log(1), "a");
  group.crash(1);
  group.restart(1);
  group.run(3000);
  group.propose(1, "b");
  is(group.log(1), "a b");
});

test.run();
