/**
 * The decisions about messages: `net/FROM>TO/TYPE/N` is what becomes of the N-th message of a type
 * between two nodes. A *lane* is all messages of one type on one link; it counts them, so a message
 * more or less of another type or on another link changes nothing here.
 */
import type { Decisions } from "../decisions/decisions.ts";
import { baseOf, isDrawn } from "../decisions/decisions.ts";
import { MEDIAN, type QuickRandom, quickRandom } from "../random.ts";
import { drawFate, type Fate } from "./fate.ts";
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
  readonly base: number;
  readonly drawn: boolean;
  sent: number;
}

export interface Lanes {
  readonly decisions: Decisions;
  /** What a node is called in names of decisions. */
  readonly nameOf: (node: number) => string;
  readonly types: Readonly<Record<Family, Map<string, MessageType>>>;
  readonly random: QuickRandom;
}

export const lanesOf = (decisions: Decisions, nameOf: (node: number) => string): Lanes => ({
  decisions,
  nameOf,
  types: { message: new Map(), call: new Map(), answer: new Map() },
  random: quickRandom(),
});

/** The type called `name`. Names are those of the protocol: looking one up makes no new text. */
export function messageType({ types }: Lanes, family: Family, name: string): MessageType {
  const known = types[family].get(name);
  if (known !== undefined) return known;
  const type = { name: family === "message" ? name : `${family} ${name}`, lanes: [] };
  types[family].set(name, type);
  return type;
}

/** Decides what becomes of a message, in `fate`, which it returns. */
export function nextFate(network: Network, packet: Packet, fate: Fate): Fate {
  const { lanes, size } = network;
  const { from, to, type } = packet;
  const link = from * size + to;
  const lane = (type.lanes[link] ??= laneOf(lanes, from, to, type));
  const number = lane.sent;
  lane.sent = number + 1;
  const random = lane.drawn ? lanes.random.reseed(lane.base, number) : MEDIAN;
  drawFate(network, packet, random, fate);
  return fate;
}

function laneOf({ decisions, nameOf }: Lanes, from: number, to: number, type: MessageType): Lane {
  const name = `net/${nameOf(from)}>${nameOf(to)}/${type.name}`;
  return { base: baseOf(decisions, name), drawn: isDrawn(decisions, name), sent: 0 };
}
