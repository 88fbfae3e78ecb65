import fc from "fast-check";
import { equal, is } from "uvu/assert";
import { EMPTY_BYTES } from "../../engine/base/bytes.ts";
import { PeerId } from "../../engine/base/ids.ts";
import * as configurations from "../../engine/raft/configuration.ts";
import { quorumValue, tally } from "../../engine/raft/quorum.ts";
import type { Vote } from "../../engine/raft/quorum.ts";
import type { Configuration, MemberChange } from "../../engine/raft/types.ts";
import { suite } from "../harness.ts";

const test = suite("raft: quorums and configurations");

const peers = (max: number, min = 0): fc.Arbitrary<PeerId[]> =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: min, maxLength: max })
    .map((list) => list.sort((a, b) => a - b).map(PeerId));

const joint: fc.Arbitrary<Configuration> = fc
  .record({ voters: peers(5, 1), outgoing: peers(5) })
  .map(({ voters, outgoing }) => ({ ...configurations.NO_MEMBERS, voters, outgoing }));

/** The dumb version: tries every value anyone has reached, and counts heads. */
function dumbQuorum(configuration: Configuration, values: ReadonlyMap<number, number>): number {
  const reached = (voters: readonly PeerId[], value: number): boolean =>
    voters.length === 0 ||
    voters.filter((voter) => (values.get(voter) ?? 0) >= value).length > voters.length / 2;
  let best = 0;
  for (const value of values.values()) {
    const all = reached(configuration.voters, value) && reached(configuration.outgoing, value);
    if (all) best = Math.max(best, value);
  }
  return best;
}

const values: fc.Arbitrary<Map<number, number>> = fc
  .array(fc.nat({ max: 9 }), { minLength: 7, maxLength: 7 })
  .map((list) => new Map(list.map((value, at) => [at + 1, value])));

test("what a quorum has reached is what a dumb count of heads finds", () => {
  fc.assert(
    fc.property(joint, values, (configuration, map) => {
      is(
        quorumValue(configuration, (voter) => map.get(voter) ?? 0),
        dumbQuorum(configuration, map),
      );
    }),
    { includeErrorInReport: true, numRuns: 3000 },
  );
});

test("an election is won or lost exactly when the answers still to come cannot change it", () => {
  const votes = fc.array(fc.constantFrom(true, false, undefined), { minLength: 7, maxLength: 7 });
  fc.assert(
    fc.property(joint, votes, (configuration, answers) => {
      const cast: Vote[] = answers.flatMap((granted, at) =>
        granted === undefined ? [] : [{ voter: PeerId(at + 1), granted }],
      );
      const count = (hopeful: boolean): number =>
        dumbQuorum(
          configuration,
          new Map(answers.map((granted, at) => [at + 1, (granted ?? hopeful) ? 1 : 0])),
        );
      const expected = count(false) === 1 ? "won" : count(true) === 0 ? "lost" : "pending";
      is(tally(configuration, cast), expected);
    }),
    { includeErrorInReport: true, numRuns: 3000 },
  );
});

const change: fc.Arbitrary<MemberChange> = fc.record({
  type: fc.constantFrom<MemberChange["type"]>("add_voter", "add_learner", "remove"),
  peer: fc.integer({ min: 1, max: 6 }).map(PeerId),
});

/** All sets of voters that can decide alone. */
function quorums({ voters, outgoing }: Configuration): PeerId[][] {
  const all = [1, 2, 3, 4, 5, 6].map(PeerId);
  const sets = Array.from({ length: 64 }, (_, bits) =>
    all.filter((_, at) => (bits >> at) % 2 === 1),
  );
  const has = (set: PeerId[], half: readonly PeerId[]): boolean =>
    half.length === 0 || half.filter((peer) => set.includes(peer)).length > half.length / 2;
  return sets.filter((set) => has(set, voters) && has(set, outgoing));
}

test("thesis 4.1 and 4.3: every quorum of a configuration meets every quorum of the next one", () => {
  fc.assert(
    fc.property(
      peers(4, 1),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (voters, changes) => {
        const before = { ...configurations.NO_MEMBERS, voters: voters.filter((peer) => peer <= 6) };
        fc.pre(before.voters.length > 0);
        const after = configurations.changed(before, { changes, context: EMPTY_BYTES });
        fc.pre(after !== undefined);
        const chain = [before, after];
        const left = configurations.changed(after, { changes: [], context: EMPTY_BYTES });
        if (left !== undefined) chain.push(left);
        is(configurations.isJoint(after), left !== undefined);
        for (let at = 1; at < chain.length; at++) {
          for (const one of quorums(chain[at - 1]!)) {
            for (const other of quorums(chain[at]!)) {
              if (!one.some((peer) => other.includes(peer)))
                throw new Error(`${one.join()} and ${other.join()}`);
            }
          }
        }
        const end = chain.at(-1)!;
        for (const { type, peer } of changes) {
          is(end.voters.includes(peer), type === "add_voter");
          is(end.learners.includes(peer), type === "add_learner");
        }
        equal([...end.outgoing, ...end.learnersNext], []);
      },
    ),
    { includeErrorInReport: true, numRuns: 300 },
  );
});

test.run();
