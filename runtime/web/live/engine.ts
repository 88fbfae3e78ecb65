/**
 * The page's end of the worker: the play that goes on there, the moment that is looked at, and
 * whether time passes. It draws nothing.
 */
import { troublesAt } from "../../../sim/live/marks.ts";
import type { Deed } from "../../../sim/live/deed.ts";
import { type Play, playUntil } from "../../../sim/live/play.ts";
import type { Window } from "../../../sim/film/develop.ts";
import type { Live, Now, Kept } from "./live.ts";
import type { News, Picture, Wish } from "./messages.ts";

/** Courses that are kept: the latest. */
const MOST_KEPT = 20;

export interface Head {
  /** The latest moment is looked at, whatever it is. */
  isFollowing: boolean;
  /** Else this one. */
  atUs: number;
  /** Somebody wants time to pass: of the world, or of what is kept of it. */
  isPlaying: boolean;
  perSecond: number;
}

/** Mutable: the one of the page. */
export class Engine {
  readonly head: Head;
  readonly #wish: (wish: Wish) => void;
  #news: News | undefined;
  #picture: Picture | undefined;
  #kept: readonly Kept[] = [];
  #troubles: Now["troubles"] = troublesAt([], 0);
  #troublesOf = "";
  /** What was last asked for. */
  #asked: Window | { readonly us: number } | undefined;
  /** The number of the course that was begun last: news of others is old. */
  #course = 0;

  constructor(wish: (wish: Wish) => void, perSecond: number) {
    this.#wish = wish;
    this.head = { isFollowing: true, atUs: 0, isPlaying: false, perSecond };
  }

  /** Takes in what the worker says. Gives the new picture, where there is one. */
  take(news: News): Picture | undefined {
    if (news.course !== this.#course) {
      // Whoever sent it waits for an answer, or sends no other one.
      if (news.picture !== undefined) this.taken(0);
      return undefined;
    }
    this.#news = news;
    if (news.picture === undefined) return undefined;
    this.#picture = news.picture;
    const { violation } = news.picture.film;
    if (violation !== undefined && this.head.isFollowing) this.head.isPlaying = false;
    return news.picture;
  }

  get picture(): Picture | undefined {
    return this.#picture;
  }

  get edgeUs(): number {
    return this.#picture?.film.endUs ?? 0;
  }

  get atUs(): number {
    return this.head.isFollowing ? this.edgeUs : this.head.atUs;
  }

  /** How things stand; undefined before anything was heard. */
  now(): Now | undefined {
    const [news, picture] = [this.#news, this.#picture];
    if (news === undefined || picture === undefined) return undefined;
    const { head, atUs, edgeUs } = this;
    const done = news.actions.filter((one) => one.atUs <= atUs).length;
    const troublesOf = `${done} ${news.actions[done - 1]?.after ?? 0}`;
    if (troublesOf !== this.#troublesOf) {
      this.#troublesOf = troublesOf;
      this.#troubles = troublesAt(news.actions, atUs);
    }
    return {
      film: picture.film,
      cluster: news.cluster,
      atUs,
      edgeUs,
      isPast: !head.isFollowing,
      running: head.isPlaying,
      perSecond: head.perSecond,
      events: news.events,
      trace: news.trace,
      replayUntilUs: news.replayUntilUs,
      actions: news.actions,
      troubles: this.#troubles,
      told: news.told,
      courses: this.#kept,
    };
  }

  play(): Play {
    const news = this.#news;
    if (news === undefined) throw new Error("nothing was heard of the worker yet");
    return { cluster: news.cluster, actions: news.actions };
  }

  /** True where that began another course, because the moment that is looked at is past. */
  deed(deed: Deed): boolean {
    const { isFollowing, atUs } = this.head;
    if (!isFollowing) this.begin(playUntil(this.play(), atUs), atUs, true);
    this.#wish({ type: "act", deed });
    return !isFollowing;
  }

  /** Leaves the course for another one; what was left is kept. */
  begin(play: Play, untilUs: number, isRunning: boolean): void {
    const news = this.#news;
    if (news !== undefined && news.actions.length > 0) {
      const left: Kept = { play: this.play(), untilUs: this.edgeUs };
      this.#kept = [left, ...this.#kept].slice(0, MOST_KEPT);
    }
    this.head.isFollowing = true;
    this.head.isPlaying = isRunning;
    this.#asked = undefined;
    this.#course += 1;
    this.#wish({ type: "begin", course: this.#course, play, untilUs, running: isRunning });
  }

  run(isPlaying: boolean): void {
    this.head.isPlaying = isPlaying;
    this.#wish({ type: "run", running: isPlaying && this.head.isFollowing });
  }

  step(): void {
    this.run(false);
    this.#wish({ type: "step" });
  }

  speed(perSecond: number): void {
    this.head.perSecond = perSecond;
    this.#wish({ type: "speed", perSecond });
  }

  /** Looks at a moment; the world stands still meanwhile. */
  goTo(timeUs: number): void {
    if (this.head.isFollowing) this.run(false);
    this.head.isFollowing = false;
    this.head.atUs = Math.max(0, Math.min(timeUs, this.edgeUs));
  }

  toEdge(): void {
    this.head.isFollowing = true;
    this.#wish({ type: "run", running: this.head.isPlaying });
  }

  /** Sees to it that the film covers what is in sight, with something on both sides. */
  look(beginUs: number, endUs: number): void {
    const length = endUs - beginUs;
    const asked = this.#asked;
    if (this.head.isFollowing) {
      const us = asked !== undefined && "us" in asked ? asked.us : 0;
      // While time passes every film costs what it holds; one that stays may hold too much.
      const most = this.head.isPlaying ? length * 4 : Infinity;
      if (us < length * 1.1 || us > most) this.#ask({ us: length * 1.5 });
      return;
    }
    const covers = (held: Window | undefined): boolean =>
      held !== undefined &&
      held.beginUs <= Math.max(0, beginUs) &&
      held.endUs >= Math.min(endUs, this.edgeUs);
    const coming = asked !== undefined && "beginUs" in asked ? asked : undefined;
    const isIn = covers(coming) || covers(this.#picture?.window);
    if (!isIn) this.#ask({ beginUs: beginUs - length, endUs: endUs + length });
  }

  #ask(stretch: Window | { readonly us: number }): void {
    this.#asked = stretch;
    this.#wish({ type: "look", stretch });
  }

  taken(ms: number): void {
    this.#wish({ type: "taken", ms });
  }

  prove: Live["prove"] = (scenario, seed) => this.#wish({ type: "prove", scenario, seed });
}
