/**
 * The decisions about messages: `net/FROM>TO/TYPE/N` is what becomes of the N-th message of a type
 * between two nodes. A *lane* is all messages of one type on one link; it counts them, so a message
 * more or less of another type or on another link changes nothing here.
 */
import type { Decisions } from "../decisions/decisions.ts";
import type { PlannedFate } from "../decisions/schedule.ts";
import { baseOf, isDrawn } from "../decisions/decisions.ts";
import { MEDIAN, type QuickRandom, quickRandom } from "../random.ts";
import { clear, drawFate, type Fate } from "./fate.ts";
import type { Network, Packet } from "./network.ts";

/** Messages between servers, and the parts of a call. */
export type Family = "message" | "call" | "answer";

/** A type of message, made once for a run. */
export interface MessageType {
  /** As in `append_request`, `call RawPut` or `answer RawPut`. */
  readonly name: string;
  /** By link. */
  readonly lanes: (Lane | undefined)[];
}

/** Mutable: counts what was sent. */
interface Lane {
  readonly name: string;
  base: number;
  readonly drawn: boolean;
  /** Fates that are laid down, by number. */
  readonly planned: ReadonlyMap<number, PlannedFate> | undefined;
  /** Whether its fates are written down. */
  readonly taken: boolean;
  sent: number;
}

export interface Lanes {
  readonly decisions: Decisions;
  /** What a node is called in names of decisions. */
  readonly nameOf: (node: number) => string;
  readonly types: Readonly<Record<Family, Map<string, MessageType>>>;
  readonly random: QuickRandom;
  readonly planned: ReadonlyMap<string, ReadonlyMap<number, PlannedFate>>;
}

export const lanesOf = (decisions: Decisions, nameOf: (node: number) => string): Lanes => ({
  decisions,
  nameOf,
  types: { message: new Map(), call: new Map(), answer: new Map() },
  random: quickRandom(),
  planned: byLane(decisions.schedule.fates),
});

/** The type called `name`. Names are those of the protocol: looking one up makes no new text. */
export function messageType({ types }: Lanes, family: Family, name: string): MessageType {
  const known = types[family].get(name);
  if (known !== undefined) return known;
  const type = { name: family === "message" ? name : `${family} ${name}`, lanes: [] };
  types[family].set(name, type);
  return type;
}

/** Decides what becomes of a message that is sent at `timeUs`, in `fate`, which it returns. */
export function nextFate(network: Network, timeUs: number, packet: Packet, fate: Fate): Fate {
  const { lanes, size } = network;
  const { from, to, type } = packet;
  const link = from * size + to;
  const lane = (type.lanes[link] ??= laneOf(lanes, from, to, type));
  const number = lane.sent;
  lane.sent = number + 1;
  const planned = lane.planned?.get(number);
  if (planned === undefined) {
    const random = lane.drawn ? lanes.random.reseed(lane.base, number) : MEDIAN;
    drawFate(network, packet, random, fate);
  } else {
    fate.held = planned.held;
    clear(fate.delays);
    fate.delays.push(...planned.delays);
  }
  if (lane.taken) {
    const { held, delays } = fate;
    const taken = { lane: lane.name, number, atUs: timeUs, held, delays: [...delays] };
    lanes.decisions.takes?.fates.push(taken);
  }
  return fate;
}

function byLane(fates: readonly PlannedFate[]): Map<string, Map<number, PlannedFate>> {
  const lanes = new Map<string, Map<number, PlannedFate>>();
  for (const fate of fates) {
    const lane = lanes.get(fate.lane) ?? new Map<number, PlannedFate>();
    lanes.set(fate.lane, lane.set(fate.number, fate));
  }
  return lanes;
}

function laneOf(lanes: Lanes, from: number, to: number, type: MessageType): Lane {
  const { decisions, nameOf } = lanes;
  const name = `net/${nameOf(from)}>${nameOf(to)}/${type.name}`;
  decisions.takes?.series.add(name);
  return {
    name,
    base: baseOf(decisions, name),
    drawn: isDrawn(decisions, name),
    planned: lanes.planned.get(name),
    taken: decisions.takes?.wanted(name) === true,
    sent: 0,
  };
}

/** The decisions draw from another seed from now on. */
export function reseedLanes({ decisions, types }: Lanes): void {
  for (const family of Object.values(types)) {
    for (const { lanes } of family.values()) {
      for (const lane of lanes) if (lane !== undefined) lane.base = baseOf(decisions, lane.name);
    }
  }
}
