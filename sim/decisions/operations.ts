/**
 * What clients do, as decisions: `operation/CLIENT/N` is the N-th thing that a client does, with
 * the time before it and everything it chooses on the way.
 */
import type { World } from "../model.ts";
import { below, between, type Random } from "../random.ts";
import { type Decisions, isDrawn, seededDraws, seededLater } from "./decisions.ts";
import type { PlannedOperation } from "./schedule.ts";

export interface Operation {
  readonly number: number;
  /** Microseconds until it begins. */
  readonly waitUs: number;
  /** For what is done. */
  readonly random: Random;
  /** For how it is done: whom to ask first, how long to wait before asking again. */
  readonly way: Random;
}

/** The first operation of a client from `number` on; undefined where it does nothing more. */
export function nextOperation(
  world: World,
  client: string,
  number: number,
  thinkUs: number,
): Operation | undefined {
  const { decisions, timeUs } = world;
  const drawn = isDrawn(decisions, `operation/${client}`);
  const planned = drawn ? undefined : plannedFrom(decisions, client, number);
  if (!drawn && planned === undefined) return undefined;
  const taken = planned?.number ?? number;
  const name = `operation/${client}/${taken}`;
  const random = seededDraws(decisions, name);
  const drawnUs = between(random, 1, 2 * thinkUs);
  const waitUs = planned === undefined ? drawnUs : Math.max(1, planned.atUs - timeUs);
  decisions.takes?.operations.push({ client, number: taken, atUs: timeUs + waitUs });
  return { number: taken, waitUs, random, way: seededLater(decisions, `${name}/way`) };
}

const plannedFrom = (
  { schedule }: Decisions,
  client: string,
  number: number,
): PlannedOperation | undefined =>
  schedule.operations.find((one) => one.client === client && one.number >= number);

/** The member of the placement driver that a client asks first. */
export const firstGuess = (world: World, client: string): number =>
  below(seededDraws(world.decisions, `client/${client}`), 8);
