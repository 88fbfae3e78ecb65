/** What becomes of one message: lost, late, on time, several times. */
import type { Random } from "../random.ts";
import type { Network, Packet } from "./network.ts";
import { chance } from "../random.ts";
import { applyHold, matches } from "./hold.ts";
import { draw } from "./latency.ts";

/** Mutable: one is used for all messages. */
export interface Fate {
  /** Whether it was held back: then the order and width of its link do not count. */
  held: boolean;
  /** Microseconds on the way, for each copy; none where it is lost. */
  readonly delays: number[];
}

export const freshFate = (): Fate => ({ held: false, delays: [] });

/** Empties a list that has an element or two: to set its length would cost more. */
export function clear(list: number[]): void {
  while (list.length > 0) list.pop();
}

/** Draws it from the network's profile and its holds. */
export function drawFate(network: Network, packet: Packet, random: Random, fate: Fate): void {
  const { profile } = network;
  const { delays } = fate;
  clear(delays);
  fate.held = false;
  if (profile.loss > 0 && chance(random, profile.loss)) return;
  for (const hold of network.holds) {
    if (matches(hold, packet) && applyHold(hold, random, packet.once, delays)) {
      fate.held = true;
      return;
    }
  }
  delays.push(draw(profile.latency, random));
  if (!packet.once && profile.duplication > 0 && chance(random, profile.duplication)) {
    delays.push(draw(profile.latency, random));
  }
}
