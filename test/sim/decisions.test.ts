/** That each decision draws by itself: leaving some out moves none of the others. */
import fc from "fast-check";
import * as assert from "uvu/assert";
import { decisionsOf, drawsOf, seededDraws } from "../../sim/decisions/decisions.ts";
import { drawnNames, WHOLE } from "../../sim/decisions/schedule.ts";
import { diskLuckOf, onBeginning, onEnding } from "../../sim/disk/luck.ts";
import { lanesOf, messageType } from "../../sim/network/lanes.ts";
import { networkOf, transmit } from "../../sim/network/network.ts";
import { NETWORKS } from "../../sim/knobs.ts";
import { MEDIAN } from "../../sim/random.ts";
import { suite } from "../harness.ts";

const test = suite("sim/decisions");

const draws = (seed: string, name: string): number[] => {
  const random = seededDraws(decisionsOf(seed), name);
  return Array.from({ length: 2000 }, () => random.int32());
};

test("what a decision draws depends on the seed and its name alone", () => {
  assert.equal(draws("42", "network"), draws("42", "network"));
  assert.not.equal(draws("42", "network"), draws("42", "disk"));
  assert.not.equal(draws("42", "network"), draws("43", "network"));
});

test("decisions of similar names do not differ by a fixed pattern", () => {
  const patternOf = (seed: string): number[] => {
    const a = draws(seed, "client 1");
    const b = draws(seed, "client 2");
    return a.map((value, i) => value ^ (b[i] as number));
  };
  const first = patternOf("1");
  const same = patternOf("2").filter((value, i) => value === first[i]);
  assert.ok(same.length < 3);
});

test("a pattern stands for its name and all below it, and for nothing that only begins alike", () => {
  const names = drawnNames(["clock", "net/store 1>store 2", "crash/store 1/3"]);
  for (const name of ["clock", "clock/pd 1", "net/store 1>store 2/x/9", "crash/store 1/3"]) {
    assert.ok(names.has(name), name);
  }
  for (const name of ["clocks", "net", "net/store 1>store 20/x", "crash/store 1/33"]) {
    assert.not(names.has(name), name);
  }
  assert.ok(drawnNames(["*"]).has("anything/at/all"));
});

test("what is not left to the seed takes the middle", () => {
  const decisions = decisionsOf("1", { ...WHOLE, drawn: ["clock/store 1"] });
  assert.is(drawsOf(decisions, "clock/store 2"), MEDIAN);
  assert.is.not(drawsOf(decisions, "clock/store 1"), MEDIAN);
});

const SENT = fc.array(
  fc.record({
    from: fc.nat(2),
    to: fc.nat(2),
    type: fc.constantFrom("append_request", "vote_request", "heartbeat_request"),
    left: fc.boolean(),
  }),
  { maxLength: 60 },
);

test("messages of other lanes, more or fewer, change the fate of none", () => {
  const profile = NETWORKS[3] as (typeof NETWORKS)[number];
  fc.assert(
    fc.property(SENT, fc.nat(1000), (sent, seed) => {
      const fatesOf = (left: (one: (typeof sent)[number]) => boolean): Map<string, string[]> => {
        const lanes = lanesOf(decisionsOf(String(seed)), String);
        const network = networkOf(3, profile, lanes);
        const fates = new Map<string, string[]>();
        for (const one of sent.filter(left)) {
          const type = messageType(lanes, "message", one.type);
          const copies = transmit(network, 0, { ...one, type, bytes: 1, once: false });
          const lane = `${one.from}>${one.to}/${one.type}`;
          fates.set(lane, [...(fates.get(lane) ?? []), copies.join(" ")]);
        }
        return fates;
      };
      const all = fatesOf(() => true);
      // A lane's own messages stay: what is left out are whole lanes.
      const without = sent.find(({ left }) => !left);
      const isOut = (one: (typeof sent)[number]): boolean =>
        without !== undefined &&
        one.from === without.from &&
        one.to === without.to &&
        one.type === without.type;
      for (const [lane, fates] of fatesOf((one) => !isOut(one))) assert.equal(fates, all.get(lane));
    }),
    { numRuns: 200, includeErrorInReport: true },
  );
});

test("the n-th message of a lane has the same fate whatever became of those before it", () => {
  const lanes = lanesOf(decisionsOf("1"), String);
  const network = networkOf(2, { ...(NETWORKS[2] as (typeof NETWORKS)[number]) }, lanes);
  const send = (): string => {
    const type = messageType(lanes, "message", "append_request");
    return transmit(network, 0, { from: 0, to: 1, type, bytes: 1, once: false }).join(" ");
  };
  const first = Array.from({ length: 50 }, send);
  const again = lanesOf(decisionsOf("1"), String);
  const other = networkOf(2, network.profile, again);
  const later = Array.from({ length: 50 }, (_, i) => {
    // A cut link loses half of them; the others draw as before.
    other.cuts[1] = i % 2;
    const type = messageType(again, "message", "append_request");
    return transmit(other, 0, { from: 0, to: 1, type, bytes: 1, once: false }).join(" ");
  });
  later.forEach((fate, i) => assert.is(fate, i % 2 === 1 ? "" : first[i]));
});

test("works of one lane of a disk draw apart from those of another, at the beginning and end", () => {
  const luck = diskLuckOf(decisionsOf("1"), "store 1");
  const log = Array.from({ length: 5 }, () => onBeginning(luck, "log").int32());
  const mixed = diskLuckOf(decisionsOf("1"), "store 1");
  const again = log.map(() => {
    onBeginning(mixed, "table");
    onEnding(mixed, "log");
    return onBeginning(mixed, "log").int32();
  });
  assert.equal(again, log);
  assert.is(new Set(log).size, log.length);
  assert.not.equal(onEnding(luck, "log").int32(), log[0]);
});

test.run();
