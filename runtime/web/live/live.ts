/** What the parts of the playground's page know of it, and may ask of it. */
import type { Film } from "../../../sim/film/film.ts";
import type { Told } from "../../../sim/live/console.ts";
import type { Deed } from "../../../sim/live/deed.ts";
import type { Troubles } from "../../../sim/live/marks.ts";
import type { Action, ClusterPlan, Play } from "../../../sim/live/play.ts";

/** How things stand at the moment that is looked at. */
export interface Now {
  readonly film: Film;
  readonly cluster: ClusterPlan;
  /** The moment that is looked at, and the latest there is. */
  readonly atUs: number;
  readonly edgeUs: number;
  readonly isPast: boolean;
  /** Whether time passes. */
  readonly running: boolean;
  readonly perSecond: number;
  readonly events: number;
  readonly trace: string;
  readonly replayUntilUs: number | undefined;
  readonly actions: readonly Action[];
  readonly troubles: Troubles;
  readonly told: readonly Told[];
  readonly courses: readonly Kept[];
}

/** A course that was left for another one, and can be gone back to. */
export interface Kept {
  readonly play: Play;
  readonly untilUs: number;
}

export interface Live {
  /** Does something at the moment that is looked at; in the past that begins another course. */
  deed(deed: Deed): void;
  toggle(): void;
  /** One event forward; in the past, one message forward or back. */
  step(direction: 1 | -1): void;
  speed(perSecond: number): void;
  /** Looks at a moment. */
  goTo(timeUs: number): void;
  /** To the latest moment. */
  toEdge(): void;
  /** Begins a play, which then stands where it ends or runs. */
  begin(play: Play, untilUs: number, running: boolean): void;
  /** The course up to now. */
  play(): Play;
  prove(scenario: string, seed: string): void;
  /** Shows a line to the user. */
  say(text: string, isBad?: boolean): void;
}

/**
 * A part of the page. Its elements stay, so that the focus does; `refresh` changes what they say.
 */
export interface Part {
  readonly root: HTMLElement;
  refresh(now: Now): void;
}

/** Sets the text only where it is another one. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
