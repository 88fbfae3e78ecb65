import fc from "fast-check";
import * as assert from "uvu/assert";
import type { Operation } from "../../sim/checkers/linearizability.ts";
import { checkKey } from "../../sim/checkers/linearizability.ts";
import { suite } from "../harness.ts";

const test = suite("sim/checkers/linearizability");

const base = { client: "c", value: 0, expected: 0, seen: 0, swapped: false };
const write = (value: number, start: number, end: number): Operation => ({
  ...base,
  type: "write",
  value,
  start,
  end,
});
const read = (seen: number, start: number, end: number): Operation => ({
  ...base,
  type: "read",
  seen,
  start,
  end,
});
const swap = (
  expected: number,
  value: number,
  found: number | "swapped",
  start: number,
  end: number,
): Operation => ({
  ...base,
  type: "swap",
  expected,
  value,
  seen: found === "swapped" ? 0 : found,
  swapped: found === "swapped",
  start,
  end,
});
const verdict = (...history: Operation[]): string => checkKey(history).type;

test("a read returns the latest write that finished before it started", () => {
  assert.is(verdict(write(1, 1, 2), read(1, 3, 4)), "linearizable");
  assert.is(verdict(write(1, 1, 2), write(2, 3, 4), read(1, 5, 6)), "violated");
  assert.is(verdict(write(1, 1, 2), read(0, 3, 4)), "violated");
});

test("a read beside a write may return either value, but not the old one after the new one", () => {
  assert.is(verdict(write(1, 1, 9), read(0, 2, 3), read(1, 4, 5)), "linearizable");
  assert.is(verdict(write(1, 1, 9), read(1, 2, 3), read(0, 4, 5)), "violated");
});

test("a write of unknown outcome may happen late, or never", () => {
  assert.is(verdict(write(1, 1, Infinity), read(0, 2, 3), read(1, 4, 5)), "linearizable");
  assert.is(verdict(write(1, 1, Infinity), read(0, 2, 3), read(0, 4, 5)), "linearizable");
  assert.is(verdict(write(1, 1, Infinity), read(1, 2, 3), read(0, 4, 5)), "violated");
});

test("a swap happens exactly where it found what it expected", () => {
  assert.is(verdict(write(1, 1, 2), swap(1, 2, "swapped", 3, 4), read(2, 5, 6)), "linearizable");
  assert.is(verdict(write(1, 1, 2), swap(0, 2, "swapped", 3, 4)), "violated");
  assert.is(verdict(write(1, 1, 2), swap(0, 2, 1, 3, 4), read(1, 5, 6)), "linearizable");
  assert.is(verdict(swap(0, 2, 0, 1, 2)), "violated");
  assert.is(verdict(swap(0, 2, "swapped", 1, 5), swap(0, 3, "swapped", 2, 6)), "violated");
});

test("a swap of unknown outcome explains a value only where its condition held", () => {
  assert.is(verdict(swap(0, 2, 0, 1, Infinity), read(2, 3, 4)), "linearizable");
  assert.is(verdict(write(1, 1, 2), swap(0, 2, 0, 3, Infinity), read(2, 4, 5)), "violated");
});

test("the core of a violation leaves out what has nothing to do with it", () => {
  const noise = Array.from({ length: 40 }, (_, i) => read(1, 10 + 2 * i, 11 + 2 * i));
  const result = checkKey([write(1, 1, 2), ...noise, write(2, 100, 101), read(1, 102, 103)]);
  if (result.type !== "violated") throw new Error(`expected a violation, got ${result.type}`);
  assert.equal(
    result.core.map((one) => one.start),
    [1, 100, 102],
  );
});

/** Tries every order of every subset that holds all finished operations. */
function bruteForce(history: readonly Operation[]): boolean {
  const place = (left: readonly Operation[], state: number): boolean => {
    if (left.every((one) => one.end === Infinity)) return true;
    return left.some((one) => {
      const rest = left.filter((other) => other !== one);
      if (rest.some((other) => other.end < one.start)) return false;
      if (one.type === "read") {
        return (one.end === Infinity || one.seen === state) && place(rest, state);
      }
      if (one.type === "write") return place(rest, one.value);
      if (one.end === Infinity) return place(rest, state === one.expected ? one.value : state);
      if (one.swapped) return state === one.expected && place(rest, one.value);
      return state === one.seen && state !== one.expected && place(rest, state);
    });
  };
  return place(history, 0);
}

/**
 * Histories of up to seven operations with unique written values, their times interleaved at will.
 */
const histories: fc.Arbitrary<Operation[]> = fc
  .array(
    fc.record({
      type: fc.constantFrom("read" as const, "write" as const, "swap" as const, "delete" as const),
      seen: fc.nat(4),
      expected: fc.nat(4),
      swapped: fc.boolean(),
      unknown: fc.nat(4).map((n) => n === 0),
      start: fc.nat(20),
      length: fc.nat(8),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((drafts) =>
    drafts.map((draft, i): Operation => {
      const start = draft.start * 100 + i;
      return {
        client: `c${i}`,
        type: draft.type === "delete" ? "write" : draft.type,
        value: draft.type === "write" || draft.type === "swap" ? i + 1 : 0,
        expected: draft.expected,
        seen: draft.seen,
        swapped: draft.swapped,
        start,
        end: draft.unknown ? Infinity : start + draft.length * 100 + 50,
      };
    }),
  );

test("the search agrees with trying every order", () => {
  const counts = { linearizable: 0, violated: 0 };
  fc.assert(
    fc.property(histories, (history) => {
      const expected = bruteForce(history) ? "linearizable" : "violated";
      counts[expected] += 1;
      assert.is(checkKey(history).type, expected);
    }),
    { numRuns: 3000, includeErrorInReport: true },
  );
  assert.ok(counts.linearizable > 100 && counts.violated > 100, "both verdicts were tried");
});

test("the core of a violation is itself a violation", () => {
  fc.assert(
    fc.property(histories, (history) => {
      const result = checkKey(history);
      if (result.type === "violated") assert.not(bruteForce(result.core));
    }),
    { numRuns: 2000, includeErrorInReport: true },
  );
});

/** A register whose operation `i` takes effect at time 10 i, somewhere within its duration. */
function simulated(choices: readonly number[]): Operation[] {
  let state = 0;
  return choices.map((choice, i) => {
    const start = 10 * i - (choice % 71) + i / 10_000;
    const end = 10 * i + 1 + (choice % 67) + i / 10_000;
    if (choice % 3 > 0) return read(state, start, end);
    state = i + 1;
    return write(state, start, end);
  });
}

test("a thousand operations, some ten at a time, on a real register are found linearizable", () => {
  const choices = Array.from({ length: 1000 }, (_, i) => (i * 7919 + (i % 13) * 104_729) % 9973);
  const history = simulated(choices);
  assert.is(checkKey(history).type, "linearizable");
});

test.run();
