/**
 * What clients do, as decisions: `operation/CLIENT/N` is the N-th thing that a client does, with
 * the time before it and everything it chooses on the way.
 */
import type { World } from "../model.ts";
import { below, between, type Random } from "../random.ts";
import { seededDraws } from "./decisions.ts";

export interface Operation {
  readonly number: number;
  /** Microseconds until it begins. */
  readonly waitUs: number;
  /** For what is done. */
  readonly random: Random;
  /** For how it is done: whom to ask first, how long to wait before asking again. */
  readonly way: Random;
}

/** The first operation of a client from `number` on: there is always another one. */
export function nextOperation(
  world: World,
  client: string,
  number: number,
  thinkUs: number,
): Operation | undefined {
  const { decisions } = world;
  const name = `operation/${client}/${number}`;
  const random = seededDraws(decisions, name);
  const waitUs = between(random, 1, 2 * thinkUs);
  return { number, waitUs, random, way: seededDraws(decisions, `${name}/way`) };
}

/** The member of the placement driver that a client asks first. */
export const firstGuess = (world: World, client: string): number =>
  below(seededDraws(world.decisions, `client/${client}`), 8);
