/** What the page and its worker, which runs the world, say to each other. Plain data only. */
import type { Overview } from "../../../sim/film/cut.ts";
import type { Window } from "../../../sim/film/develop.ts";
import type { Film } from "../../../sim/film/film.ts";
import type { Told } from "../../../sim/live/console.ts";
import type { Deed } from "../../../sim/live/deed.ts";
import type { Action, ClusterPlan, Play } from "../../../sim/live/play.ts";
import type { Recording } from "../../../sim/trace/trace.ts";

/** From the page. */
export type Wish =
  /** Plays from time 0 up to `untilUs`, and stands still there or runs on. */
  | {
      readonly type: "begin";
      /** A number for it, which its news carry. */
      readonly course: number;
      readonly play: Play;
      readonly untilUs: number;
      readonly running: boolean;
    }
  | { readonly type: "run"; readonly running: boolean }
  /** Virtual seconds in a second; Infinity is as fast as it goes. */
  | { readonly type: "speed"; readonly perSecond: number }
  /** One event. */
  | { readonly type: "step" }
  | { readonly type: "act"; readonly deed: Deed }
  /** Which stretch the film is wanted of: a fixed one, or the latest `us`. */
  | { readonly type: "look"; readonly stretch: Window | { readonly us: number } }
  /** The last film was taken in, which cost the page so many milliseconds. */
  | { readonly type: "taken"; readonly ms: number }
  | Proving;

/** Runs a scenario as the command line does. */
export interface Proving {
  readonly type: "prove";
  readonly scenario: string;
  readonly seed: string;
  /** Instead of the scenario's own: how long faults and clients go on. */
  readonly safetyMs?: number;
  /** Whether every event is told. */
  readonly recorded?: boolean;
}

/** From the worker: how things stand. */
export interface News {
  readonly type: "news";
  readonly course: number;
  readonly cluster: ClusterPlan;
  readonly timeUs: number;
  readonly events: number;
  readonly trace: string;
  readonly running: boolean;
  /** While an earlier course is played again: up to when. */
  readonly replayUntilUs: number | undefined;
  readonly actions: readonly Action[];
  readonly told: readonly Told[];
  /** Where there was time for one. */
  readonly picture: Picture | undefined;
}

export interface Picture {
  readonly film: Film;
  /** What of the run it shows. */
  readonly window: Window;
  readonly overview: Overview;
}

export type Reply =
  | News
  | {
      readonly type: "proved";
      readonly scenario: string;
      readonly seed: string;
      readonly trace: string;
      readonly events: number;
      readonly verdict: string;
      readonly recording: Recording | undefined;
    }
  /** The worker cannot go on. */
  | { readonly type: "failed"; readonly problem: string };
