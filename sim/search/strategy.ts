/**
 * How a run is searched for trouble, beside what its scenario holds. A strategy is part of the
 * schedule, so whatever replays or shrinks a run has it too; what it does is decided under names
 * that begin with `search/` (`docs/design/015-search.md`).
 */
import { unreachable } from "../../engine/base/assert.ts";
import type { World } from "../model.ts";
import type { Scenario } from "../scenario.ts";
import { prioritise } from "./pct.ts";
import { starve } from "./starvation.ts";
import { type Turn, takeTurns } from "./turns.ts";

export type Strategy =
  /** What the scenario draws, and nothing else. */
  | { readonly type: "random" }
  /** Links have priorities, some of which fall: whoever is last waits behind all others. */
  | { readonly type: "pct" }
  /** Messages of one to three types, senders and receivers are held for long. */
  | { readonly type: "hold" }
  /** From some moments on everything is drawn anew: a life with another end. */
  | { readonly type: "turns"; readonly turns: readonly Turn[] };

export const RANDOM: Strategy = { type: "random" };

/** Prepares a world that is about to run. */
export function applyStrategy(world: World, scenario: Scenario): void {
  const strategy = world.decisions.schedule.strategy ?? RANDOM;
  switch (strategy.type) {
    case "random":
      return;
    case "pct":
      return prioritise(world, scenario);
    case "hold":
      return starve(world, scenario);
    case "turns":
      return takeTurns(world, strategy.turns);
    default:
      return unreachable(strategy);
  }
}

const TURNS = "turns:";

/** As on the command line: `pct`, or `turns:2500000.17,4100000.23` (microseconds, and a seed). */
export const strategyText = (strategy: Strategy): string =>
  strategy.type === "turns"
    ? TURNS + strategy.turns.map(({ atUs, seed }) => `${atUs}.${seed}`).join(",")
    : strategy.type;

export function parseStrategy(text: string): Strategy | undefined {
  if (text === "random" || text === "pct" || text === "hold") return { type: text };
  if (!text.startsWith(TURNS)) return undefined;
  const turns: Turn[] = [];
  for (const part of text.slice(TURNS.length).split(",")) {
    if (!/^\d{1,15}\.\d{1,15}$/.test(part)) return undefined;
    const [atUs, seed] = part.split(".").map(Number);
    if (atUs === undefined || seed === undefined || atUs <= (turns.at(-1)?.atUs ?? -1)) {
      return undefined;
    }
    turns.push({ atUs, seed });
  }
  return { type: "turns", turns };
}

/** Whether a value from a file is a strategy. */
export function isStrategy(value: unknown): value is Strategy {
  const given = value as { readonly type?: unknown; readonly turns?: unknown } | null;
  if (typeof given !== "object" || given === null) return false;
  if (given.type !== "turns") return parseStrategy(String(given.type)) !== undefined;
  const isTurn = (turn: Partial<Turn> | null): boolean =>
    Number.isSafeInteger(turn?.atUs) && Number.isSafeInteger(turn?.seed);
  return Array.isArray(given.turns) && (given.turns as (Partial<Turn> | null)[]).every(isTurn);
}
