/**
 * The network between all nodes of a world: when does a message arrive, and how often? State is
 * kept by directed link in flat arrays; the cuts of overlapping partitions are counted, so that
 * healing one leaves the others.
 */
import type { Fate } from "./fate.ts";
import type { Hold } from "./hold.ts";
import type { Lanes, MessageType } from "./lanes.ts";
import type { Latency } from "./latency.ts";
import type { Link } from "./topology.ts";
import { assert } from "../../engine/base/assert.ts";
import { clear, freshFate } from "./fate.ts";
import { nextFate } from "./lanes.ts";

/** How the links behave while nobody cuts them. Chances in millionths of a message. */
export interface NetworkProfile {
  readonly latency: Latency;
  readonly loss: number;
  readonly duplication: number;
  /** Whether the messages of one link arrive in the order in which they were sent. */
  readonly ordered: boolean;
  /** Bytes a link carries in a millisecond; 0 is no limit. */
  readonly bytesPerMs: number;
}

/** What a message is to the network. */
export interface Packet {
  readonly from: number;
  readonly to: number;
  readonly type: MessageType;
  readonly bytes: number;
  /** Calls travel on connections: never twice, never in part. They may be lost or late. */
  readonly once: boolean;
}

/** Mutable: one for each world. */
export interface Network {
  profile: NetworkProfile;
  readonly size: number;
  /** Who decides what becomes of each message. */
  readonly lanes: Lanes;
  /** How many cuts are open on each link. */
  readonly cuts: Uint16Array;
  /** Until when each link holds everything back. */
  readonly clogs: Float64Array;
  /** How long messages of each link wait behind others (`search/pct.ts`), in microseconds. */
  readonly behind: Float64Array;
  /** When the latest ordered message of each link arrives, and when the link has sent it. */
  readonly arrivals: Float64Array;
  readonly busy: Float64Array;
  holds: readonly Hold[];
  /** When the last message arrives that was held back. */
  heldUntilUs: number;
  /** Scratch: what becomes of the last packet, and the times at which its copies arrive. */
  readonly fate: Fate;
  readonly copies: number[];
  lost: number;
  duplicated: number;
}

/** Calm enough for every promise about progress: what the network is in the liveness phase. */
export const CALM: NetworkProfile = {
  latency: { type: "uniform", lowUs: 200, highUs: 700 },
  loss: 0,
  duplication: 0,
  ordered: true,
  bytesPerMs: 0,
};

export const networkOf = (size: number, profile: NetworkProfile, lanes: Lanes): Network => ({
  profile,
  size,
  lanes,
  cuts: new Uint16Array(size * size),
  clogs: new Float64Array(size * size),
  behind: new Float64Array(size * size),
  arrivals: new Float64Array(size * size),
  busy: new Float64Array(size * size),
  holds: [],
  heldUntilUs: 0,
  fate: freshFate(),
  copies: [],
  lost: 0,
  duplicated: 0,
});

/**
 * Sends `packet` at `timeUs`: the arrival times of its copies, none where it is lost. The result is
 * reused by the next call.
 */
export function transmit(network: Network, timeUs: number, packet: Packet): readonly number[] {
  const { copies } = network;
  clear(copies);
  const link = packet.from * network.size + packet.to;
  const fate = nextFate(network, timeUs, packet, network.fate);
  if ((network.cuts[link] as number) > 0) clear(fate.delays);
  if (fate.delays.length === 0) network.lost += 1;
  if (fate.delays.length > 1 && !fate.held) network.duplicated += 1;
  for (const delayUs of fate.delays) {
    // What is held back goes by no rule of the link.
    if (fate.held) {
      copies.push(timeUs + delayUs);
      network.heldUntilUs = Math.max(network.heldUntilUs, timeUs + delayUs);
    } else {
      const behindUs = network.behind[link] as number;
      const time = arrival(network, timeUs, link, packet.bytes, delayUs + behindUs);
      copies.push(time);
      if (behindUs > 0) network.heldUntilUs = Math.max(network.heldUntilUs, time);
    }
  }
  return copies;
}

function arrival(
  network: Network,
  timeUs: number,
  link: number,
  bytes: number,
  delayUs: number,
): number {
  const { profile } = network;
  let leaves = timeUs;
  if (profile.bytesPerMs > 0) {
    leaves = Math.max(leaves, network.busy[link] as number);
    leaves += Math.ceil((bytes * 1000) / profile.bytesPerMs);
    network.busy[link] = leaves;
  }
  let arrives = Math.max(leaves, network.clogs[link] as number) + delayUs;
  if (profile.ordered) {
    arrives = Math.max(arrives, network.arrivals[link] as number);
    network.arrivals[link] = arrives;
  }
  return arrives;
}

/** Cuts these links, once more where they are cut already. */
export function cut(network: Network, links: readonly Link[]): void {
  for (const [from, to] of links) {
    const link = from * network.size + to;
    network.cuts[link] = (network.cuts[link] as number) + 1;
  }
}

/** Takes back one `cut` of these links. */
export function mend(network: Network, links: readonly Link[]): void {
  for (const [from, to] of links) {
    const link = from * network.size + to;
    const count = network.cuts[link] as number;
    assert(count > 0, "only a link that was cut is mended");
    network.cuts[link] = count - 1;
  }
}

/** Holds back until `untilUs` everything that these links are given before then. */
export function clog(network: Network, links: readonly Link[], untilUs: number): void {
  for (const [from, to] of links) {
    const link = from * network.size + to;
    network.clogs[link] = Math.max(network.clogs[link] as number, untilUs);
  }
}

/** Ends every fault: no cut, clog, priority, hold, loss or duplication is left, only `profile`. */
export function healNetwork(network: Network, profile: NetworkProfile): void {
  network.profile = profile;
  network.cuts.fill(0);
  network.clogs.fill(0);
  network.behind.fill(0);
  network.busy.fill(0);
  network.holds = [];
}

export const isCut = (network: Network, from: number, to: number): boolean =>
  (network.cuts[from * network.size + to] as number) > 0;

/** Whether nothing that is sent now arrives soon: the link is cut, or stalls. */
export const isStopped = (network: Network, from: number, to: number, timeUs: number): boolean =>
  isCut(network, from, to) || (network.clogs[from * network.size + to] as number) > timeUs;
