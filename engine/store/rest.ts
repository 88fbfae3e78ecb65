/**
 * When a store is at rest: nothing was logged for a while. Its tree then does what writers would
 * pay for too often and only readers gain by.
 */
import { stepDisk } from "./disk.ts";
import type { StoreTurn } from "./turn.ts";

const REST_MS = 2000;

/** At every tick. */
export function tickRest(turn: StoreTurn): void {
  const { loggedBytes, rest, now } = turn;
  if (loggedBytes !== rest.loggedBytes) {
    turn.rest = { loggedBytes, since: now.monotonicMs, told: false };
  } else if (!rest.told && now.monotonicMs - rest.since >= REST_MS) {
    turn.rest = { ...rest, told: true };
    stepDisk(turn, { type: "rest" });
  }
}
