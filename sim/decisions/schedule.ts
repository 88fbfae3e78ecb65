/**
 * What a run is made of, apart from its scenario and seed: which decisions are left to the seed,
 * and which are laid down. Plain data, kept in files (`file.ts`).
 */
import type { Strike } from "../faults/strike.ts";
import type { Strategy } from "../search/strategy.ts";

export interface Schedule {
  /**
   * Names of decisions that are drawn by the seed, or beginnings of names up to a slash: `clock`
   * stands for all clocks, `*` for everything.
   */
  readonly drawn: readonly string[];
  readonly strikes: readonly PlannedStrike[];
  /** What clients do whose operations are not drawn: these, and nothing else. */
  readonly operations: readonly PlannedOperation[];
  /** What becomes of single messages, drawn or not. */
  readonly fates: readonly PlannedFate[];
  /** When faults and clients end, where that is earlier than the scenario says. */
  readonly safetyUs?: number | undefined;
  /** How it is searched, where not at random. */
  readonly strategy?: Strategy | undefined;
}

/** A strike and when it falls. Times in virtual microseconds. */
export interface PlannedStrike {
  readonly name: string;
  readonly atUs: number;
  readonly lastsUs: number;
  readonly strike: Strike;
}

/** The operation of a client with this number, begun then or when the one before it has ended. */
export interface PlannedOperation {
  readonly client: string;
  readonly number: number;
  readonly atUs: number;
}

/** How long the copies of a message are on the way, and whether the link's order counts. */
export interface PlannedFate {
  /** Its lane (`net/FROM>TO/TYPE`) and its number in it. */
  readonly lane: string;
  readonly number: number;
  readonly held: boolean;
  readonly delays: readonly number[];
}

/** Everything is drawn: the run of the seed as it is. */
export const WHOLE: Schedule = { drawn: ["*"], strikes: [], operations: [], fates: [] };

/** The run of the seed, searched in this way. */
export const searchedBy = (strategy: Strategy): Schedule =>
  strategy.type === "random" ? WHOLE : { ...WHOLE, strategy };

/** Answers whether a name is among those that a schedule leaves to the seed. */
export interface DrawnNames {
  readonly has: (name: string) => boolean;
}

export function drawnNames(patterns: readonly string[]): DrawnNames {
  if (patterns.includes("*")) return { has: () => true };
  const known = new Set(patterns);
  const has = (name: string): boolean => {
    if (known.has(name)) return true;
    for (let at = name.lastIndexOf("/"); at > 0; at = name.lastIndexOf("/", at - 1)) {
      if (known.has(name.slice(0, at))) return true;
    }
    return false;
  };
  return { has };
}
