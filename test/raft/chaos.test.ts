import fc from "fast-check";
import { suite } from "../harness.ts";
import { Chaos } from "./chaos.ts";
import type { ChaosOptions, Event } from "./chaos.ts";

const test = suite("raft: random lives");

/** `FC_SEED` and `FC_RUNS` search elsewhere, and longer. */
const seed = Number(process.env["FC_SEED"] ?? 2014);
const numRuns = Number(process.env["FC_RUNS"] ?? 12);

const events: fc.Arbitrary<Event[]> = fc.array(
  fc.tuple(fc.nat({ max: 999 }), fc.nat({ max: 0xffff })),
  { minLength: 400, maxLength: 1500, size: "max" },
);

const small = {
  leaseMs: 700,
  maxAppendBytes: 60,
  maxApplyBytes: 60,
  maxInflightMessages: 3,
  maxInflightBytes: 150,
};

function holds(options: ChaosOptions): void {
  fc.assert(
    fc.property(events, (life) => {
      const chaos = new Chaos(options);
      for (const event of life) chaos.happen(event);
      chaos.recover();
    }),
    { includeErrorInReport: true, seed, numRuns, endOnFailure: true },
  );
}

test("three voters are safe through loss, repetition, reordering, crashes and drifting clocks, and recover", () => {
  holds({ voters: 3, members: 3, membership: false, config: small });
});

test("five voters without pre-vote are safe, and recover", () => {
  holds({ voters: 5, members: 5, membership: false, config: { ...small, preVote: false } });
});

test("a group whose members come and go is safe, and recovers", () => {
  holds({ voters: 3, members: 5, membership: true, config: small });
});

test("a group that trusts no clock is safe, and recovers", () => {
  holds({ voters: 3, members: 4, membership: true, config: { ...small, checkQuorum: false } });
});

test("members that lose their data, one or two of three, are safe, and get it again", () => {
  holds({ voters: 3, members: 3, membership: false, losses: true, config: small });
});

test.run();
