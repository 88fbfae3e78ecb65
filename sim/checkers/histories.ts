/**
 * The linearizability of all keys of a run, told in words where one is violated.
 */
import type { Key } from "../../engine/base/bytes.ts";
import type { World } from "../model.ts";
import type { Record } from "../workloads/history.ts";
import type { Operation } from "./linearizability.ts";
import { seconds } from "../trace/trace.ts";
import { passed, violated } from "./verdict.ts";
import { checkKey } from "./linearizability.ts";

/** Checks every key's history. Keys whose search was given up are counted, not guessed at. */
export function checkHistories(world: World): { readonly undecided: number } {
  let undecided = 0;
  for (const [key, records] of world.checks.history.keys) {
    const history = records.filter(({ refused }) => !refused);
    const verdict = checkKey(history);
    if (verdict.type === "violated") {
      violated(world, "linearizability", explain(key, verdict.core));
      break;
    }
    if (verdict.type === "undecided") undecided += 1;
    else passed(world, "linearizability");
  }
  return { undecided };
}

/** The operations that contradict each other, in the order in which they began. */
export function explain(key: Key, core: readonly Operation[]): string {
  const lines = core.map((one) => `  ${one.client.padEnd(10)} ${describe(one)}`);
  return `no order of these ${core.length} operations on key ${key} explains every answer:\n${lines.join("\n")}`;
}

function describe(one: Operation): string {
  const { startUs, endUs } = one as Record;
  const end = endUs === Infinity ? "and never got an answer" : `until ${seconds(endUs)}`;
  return `${what(one).padEnd(40)} from ${seconds(startUs)} ${end}`;
}

function what(one: Operation): string {
  switch (one.type) {
    case "write":
      return one.value === 0 ? "deletes it" : `puts value ${one.value}`;
    case "read":
      return one.seen === 0 ? "reads: no such key" : `reads value ${one.seen}`;
    case "swap": {
      const change = `swaps ${one.expected === 0 ? "nothing" : one.expected} for ${one.value}`;
      if (one.end === Infinity || one.swapped) return change;
      return `${change}: refused, finds ${one.seen === 0 ? "nothing" : one.seen}`;
    }
    default:
      return "";
  }
}
