/**
 * The course that the worker drives: its playground, how fast it goes, and what the page looks at.
 */
import { cutOut, overviewIn, violationIn } from "../../../sim/film/cut.ts";
import type { Window } from "../../../sim/film/develop.ts";
import type { FilmViolation } from "../../../sim/film/film.ts";
import type { Deed } from "../../../sim/live/deed.ts";
import type { Play } from "../../../sim/live/play.ts";
import { act, follow, goOn, type Playground, playgroundOf } from "../../../sim/live/playground.ts";
import type { Drain } from "../../../sim/model.ts";
import { traceText } from "../../../sim/trace/trace.ts";
import type { News, Picture, Wish } from "./messages.ts";

/** Milliseconds of work after which the loop looks for wishes again. */
const SLICE_MS = 12;
/** Events between two looks at the clock. */
const PIECE = 200;
/** What the world falls behind by more than this is not made up for. */
const MOST_LAG_MS = 100;
/** Answers of the console that are told. */
const MOST_TOLD = 40;

export class Course {
  readonly #number: number;
  readonly #playground: Playground;
  readonly #play: Play;
  readonly #untilUs: number;
  #replaying = true;
  running: boolean;
  perSecond: number;
  stretch: Window | { readonly us: number };
  /** When the world was last driven on, and the virtual time that it owes since. */
  #lastMs: number | undefined;
  #dueUs = 0;
  #violation: FilmViolation | undefined;

  constructor(
    { course, play, untilUs, running }: Omit<Extract<Wish, { type: "begin" }>, "type">,
    last: Pick<Course, "perSecond" | "stretch">,
    drain: Drain,
  ) {
    this.#number = course;
    this.#playground = playgroundOf(play.cluster, drain);
    this.#play = play;
    this.#untilUs = untilUs;
    this.running = running;
    this.perSecond = last.perSecond;
    this.stretch = last.stretch;
  }

  /** Whether there is something to do without being asked. */
  get goesOn(): boolean {
    return this.#replaying || (this.running && !this.#isOver);
  }

  get isReplaying(): boolean {
    return this.#replaying;
  }

  get #isOver(): boolean {
    return this.#playground.world.checks.violation !== undefined;
  }

  /** Works for some milliseconds at most. */
  async drive(clock: () => number): Promise<void> {
    if (this.#replaying) await this.#replay(clock);
    else if (this.running) await this.#run(clock);
    else this.#lastMs = undefined;
  }

  async #replay(clock: () => number): Promise<void> {
    const end = clock() + 4 * SLICE_MS;
    while (this.#replaying && clock() < end) {
      this.#replaying = !(await follow(this.#playground, this.#play, this.#untilUs, PIECE));
    }
  }

  async #run(clock: () => number): Promise<void> {
    const { world } = this.#playground;
    const now = clock();
    const passedMs = Math.min(MOST_LAG_MS, now - (this.#lastMs ?? now));
    this.#lastMs = now;
    this.#dueUs = Math.max(this.#dueUs, world.timeUs) + passedMs * 1000 * this.perSecond;
    const dueUs = Number.isFinite(this.perSecond) ? Math.floor(this.#dueUs) : Infinity;
    while (world.timeUs < dueUs && clock() < now + SLICE_MS && !this.#isOver) {
      // Where nothing holds it back it still goes in steps, or an idle cluster would never return.
      const untilUs = Math.min(dueUs, world.timeUs + 1_000_000);
      await goOn(this.#playground, untilUs, world.events + PIECE);
    }
    this.#dueUs = Math.min(this.#dueUs, world.timeUs + 1000 * MOST_LAG_MS * this.perSecond);
    if (!Number.isFinite(this.perSecond)) this.#dueUs = world.timeUs;
  }

  /** One event, whenever it comes. */
  async step(): Promise<void> {
    const { world } = this.#playground;
    await goOn(this.#playground, Infinity, world.events + 1);
    this.#dueUs = world.timeUs;
  }

  async act(deed: Deed): Promise<void> {
    const { world } = this.#playground;
    await act(this.#playground, deed);
    // What follows at the same moment happens too: it is to be seen though the world stands still.
    await goOn(this.#playground, world.timeUs, Infinity);
    this.#dueUs = Math.max(this.#dueUs, world.timeUs);
  }

  news(isPictured: boolean): News {
    const { world, cluster, actions, console } = this.#playground;
    return {
      type: "news",
      course: this.#number,
      cluster,
      timeUs: world.timeUs,
      events: world.events,
      trace: traceText(world.trace),
      running: this.running && !this.#isOver,
      replayUntilUs: this.#replaying ? this.#untilUs : undefined,
      actions,
      told: console.told.slice(-MOST_TOLD),
      picture: isPictured ? this.#picture() : undefined,
    };
  }

  #picture(): Picture {
    const { world, film } = this.#playground;
    const { stretch } = this;
    const window =
      "us" in stretch ? { beginUs: world.timeUs - stretch.us, endUs: world.timeUs } : stretch;
    this.#violation ??= violationIn(world, film);
    return {
      film: cutOut(world, film, "playground", window, this.#violation),
      window,
      overview: overviewIn(film, world.timeUs),
    };
  }
}
