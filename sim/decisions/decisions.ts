/**
 * The choices of a run: everything that is left to chance has a name, as in `crash/store 1/3` or
 * `net/store 2>store 1/vote_request/17`, and draws from a generator that follows from the run's
 * seed and that name alone. Leaving a decision out, or making another one, moves no draw of the
 * others; it can only change which of them there are.
 *
 * A *schedule* says which decisions a run leaves to its seed; the others take the middle of what
 * they could draw, or do not happen.
 */
import { MEDIAN, type Random, randomOf } from "../random.ts";
import { textHash } from "../trace/hash.ts";
import { type DrawnNames, drawnNames, type Schedule, WHOLE } from "./schedule.ts";
import type { Takes } from "./takes.ts";

export interface Decisions {
  /** The scenario's name and the seed; another one after a turn (`search/turns.ts`). */
  seed: string;
  readonly schedule: Schedule;
  readonly drawn: DrawnNames;
  /** Writes down what is decided; undefined where nobody wants to know. */
  readonly takes: Takes | undefined;
}

export const decisionsOf = (
  seed: string,
  schedule: Schedule = WHOLE,
  takes?: Takes,
): Decisions => ({ seed, schedule, drawn: drawnNames(schedule.drawn), takes });

/** Whether this decision is left to the seed. */
export const isDrawn = (decisions: Decisions, name: string): boolean => decisions.drawn.has(name);

/** The generator of one decision, from its beginning. */
export function drawsOf(decisions: Decisions, name: string): Random {
  decisions.takes?.series.add(name);
  return isDrawn(decisions, name) ? seededDraws(decisions, name) : MEDIAN;
}

/** The same of what is no decision, as the seeds that the engine is given: always drawn. */
export const seededDraws = (decisions: Decisions, name: string): Random =>
  randomOf(`${decisions.seed}/${name}`);

/** The same, seeded at the first draw: for what is seldom drawn from. */
export const seededLater = (decisions: Decisions, name: string): Random => {
  let random: Random | undefined;
  const seeded = (): Random => (random ??= seededDraws(decisions, name));
  return Object.assign(() => seeded()(), { int32: () => seeded().int32() });
};

/** From which a series of decisions draws by number (`quickRandom`): 32 bits. */
export const baseOf = (decisions: Decisions, series: string): number =>
  textHash(`${decisions.seed}/${series}`) | 0;
