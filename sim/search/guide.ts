/**
 * Guided search: where a run comes to an abstract state that no run before it has met
 * (`novelty.ts`), the way there is kept, and later runs go it again and take another turn from that
 * moment on. Seven of ten runs stay fresh, as whoever only follows what is known finds nothing new.
 *
 * A batch goes in rounds. What a round does depends on the rounds before it alone, never on who was
 * done first: the same range of seeds does the same with any number of workers.
 */
import { below, pick, randomOf } from "../random.ts";
import type { Novelty } from "./novelty.ts";
import { RANDOM, type Strategy } from "./strategy.ts";
import type { Turn } from "./turns.ts";

/** Runs of one scenario in a round. */
export const ROUND = 20;
/** Which of ten runs are guided. */
const GUIDED: readonly number[] = [2, 5, 8];
/** Moments that are kept of one run, spread over it, and of all runs: the latest. */
const MOST_OF_A_RUN = 3;
const MOST = 300;

/** What one scenario's runs have met. Mutable. */
export interface Guide {
  readonly scenario: string;
  readonly known: Set<number>;
  readonly kept: Way[];
}

/** How to come to a state that was new. */
interface Way {
  readonly seed: string;
  readonly turns: readonly Turn[];
  readonly atUs: number;
}

/** A run of the batch. */
export interface Plan {
  readonly seed: string;
  readonly strategy: Strategy;
}

export const guideOf = (scenario: string): Guide => ({ scenario, known: new Set(), kept: [] });

/** What to do with the seed at this place of the batch, once all rounds before are learned from. */
export function planFor({ scenario, kept }: Guide, place: number, seed: number): Plan {
  if (kept.length === 0 || place < ROUND || !GUIDED.includes(place % 10)) {
    return { seed: String(seed), strategy: RANDOM };
  }
  const random = randomOf(`guided/${scenario}/${seed}`);
  // What the batch has found last is the rarest: half of the time one of these ways is gone.
  const among = below(random, 2) === 0 ? kept : kept.slice(-2 * MOST_OF_A_RUN);
  const way = pick(random, among);
  const turns = [...way.turns, { atUs: way.atUs, seed }];
  return { seed: way.seed, strategy: { type: "turns", turns } };
}

/** Keeps the ways to what is new. Runs are learned from in the order of their places. */
export function learn(guide: Guide, { seed, strategy }: Plan, states: Novelty): void {
  const turned = strategy.type === "turns" ? strategy.turns : [];
  const moments: number[] = [];
  for (const [state, atUs] of states) {
    if (guide.known.has(state)) continue;
    guide.known.add(state);
    if (moments.at(-1) !== atUs) moments.push(atUs);
  }
  for (const atUs of spread(moments)) {
    guide.kept.push({ seed, turns: turned.filter((turn) => turn.atUs < atUs), atUs });
  }
  guide.kept.splice(0, guide.kept.length - MOST);
}

/** A few of a list, from all over it: the last ones alone would leave runs no time to differ. */
function spread(moments: readonly number[]): readonly number[] {
  if (moments.length <= MOST_OF_A_RUN) return moments;
  return Array.from(
    { length: MOST_OF_A_RUN },
    (_, i) => moments[Math.floor(((i + 1) * moments.length) / (MOST_OF_A_RUN + 1))] as number,
  );
}
