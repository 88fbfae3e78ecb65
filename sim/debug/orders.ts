/** Reads what is to be done to a run: `crash store 1`, `cut store 1 > store 2`. */
import type { Deed, Operation } from "../live/deed.ts";
import { readDeed } from "../live/read-deed.ts";

export const ORDERS = `crash|power|start NAME     a process ends, loses power, starts
pause|resume NAME          it stands still, goes on
cut|mend A > B, A <> B     a link, one way or both: "cut store 1 <> store 2"
drift NAME PERCENT         its clocks are too fast, or (negative) too slow
shift NAME MS              its wall clock steps
freeze|thaw NAME           its wall clock stands still, goes on
slow NAME TIMES            its disk is so many times slower
fill|failsync|repair NAME  its disk is full, fails at the next sync, is whole again
heal                       every fault ends
`;

/** The deed that the words say; a text says what is wrong with them. */
export function readOrder(
  words: string,
  names: readonly string[],
): Exclude<Deed, Operation> | string {
  const [verb = "", ...rest] = words.trim().split(/\s+/);
  const value = valueOf(verb, rest.join(" "));
  if (value === undefined) return `unknown order "${verb}"`;
  const deed = readDeed(value);
  if (typeof deed === "string") return deed;
  const unknown = namesIn(deed).find((name) => !names.includes(name));
  if (unknown !== undefined) return `no node "${unknown}": ${names.join(", ")}`;
  return deed as Exclude<Deed, Operation>;
}

function valueOf(verb: string, rest: string): unknown {
  const [, machine = "", number = ""] = /^(.*?)\s+(-?[0-9.]+)$/.exec(rest) ?? [];
  switch (verb) {
    case "crash":
    case "power":
      return { type: "crash", machine: rest, power: verb === "power" };
    case "start":
    case "pause":
    case "resume":
      return { type: verb, machine: rest };
    case "cut":
    case "mend":
      return { type: verb, links: linksOf(rest) };
    case "drift":
      return { type: "clock_drift", machine, millionths: Math.round(Number(number) * 10_000) };
    case "shift":
      return { type: "clock_step", machine, us: Math.round(Number(number) * 1000) };
    case "freeze":
    case "thaw":
      return { type: `clock_${verb}`, machine: rest };
    case "slow":
      return { type: "slow_disk", machine, times: Number(number) };
    case "fill":
      return { type: "full_disk", machine: rest };
    case "failsync":
      return { type: "failing_sync", machine: rest };
    case "repair":
      return { type: "mend_disk", machine: rest };
    case "heal":
      return { type: "heal" };
    default:
      return undefined;
  }
}

function linksOf(text: string): readonly (readonly [string, string])[] {
  const [, from = "", sign = "", to = ""] = /^(.+?)\s*(<>|>)\s*(.+)$/.exec(text) ?? [];
  if (sign === "") return [["", ""]];
  return sign === "<>"
    ? [
        [from, to],
        [to, from],
      ]
    : [[from, to]];
}

function namesIn(deed: Deed): readonly string[] {
  if ("machine" in deed) return [deed.machine];
  return "links" in deed ? deed.links.flat() : [];
}
