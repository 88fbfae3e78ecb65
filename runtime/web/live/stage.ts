/** Puts the playground's page together: the picture's canvas and words around a film that grows. */
import type { Controls } from "../picture/controls.ts";
import { faultsOf, type Match, nextOf, search } from "../picture/find.ts";
import { choiceTime, type Painting } from "../picture/paint.ts";
import { listen } from "../picture/pointer.ts";
import { firstAt, type Scene, sceneOf } from "../picture/scene.ts";
import { type Surface, surfaceOf } from "../picture/surface.ts";
import { type Choice, type View, viewOf } from "../picture/view.ts";
import type { Engine } from "./engine.ts";
import type { Picture } from "./messages.ts";
import { paintHead } from "./head.ts";
import { rechoose } from "./rechoose.ts";

/** How much of time is in sight at first. */
const FIRST_LENGTH_US = 1_200_000;
/** Room right of the latest moment, as a part of what is in sight. */
const MARGIN = 0.03;

/** The canvas of the playground, and what is seen of it. */
export interface Stage {
  readonly surface: Surface;
  readonly controls: Controls;
  readonly view: View;
  readonly matches: () => readonly Match[];
  /** Shows another cut of the film. */
  show(picture: Picture): void;
  /** Follows the head of the engine, which was moved. */
  moved(): void;
  /** The same while time passes in the past: the moment stays where it is in sight. */
  follow(): void;
  seek(text: string): void;
  /** Chooses a lane at the moment that is looked at. */
  chooseLane(node: number): void;
}

/** What the stage tells: that the choice, or the moment, is another one. */
export interface Ears {
  chosen(): void;
  moved(): void;
  toSearch(): void;
  help(): void;
}

export function stageOf(engine: Engine, first: Picture, ears: Ears): Stage {
  let scene: Scene = sceneOf(first.film);
  let { overview } = first;
  let matches: Match[] = [];
  let length = FIRST_LENGTH_US;
  const view = viewOf(first.film);
  const surface = surfaceOf(
    () => scene,
    view,
    () => overview,
    (painting: Painting) => paintHead(painting, engine),
  );

  /** The latest moment at the right, or the moment that is looked at in sight. */
  const settle = (): void => {
    if (engine.head.isFollowing) {
      view.endUs = engine.edgeUs + length * MARGIN;
      view.beginUs = view.endUs - length;
    } else if (engine.atUs < view.beginUs || engine.atUs > view.endUs) {
      view.beginUs = engine.atUs - length / 2;
      view.endUs = view.beginUs + length;
    }
    engine.look(view.beginUs, view.endUs);
    surface.draw();
  };

  /** Somebody has moved the view by hand. */
  const handled = (): void => {
    const { head } = engine;
    const now = view.endUs - view.beginUs;
    const zoomed = Math.abs(now - length) > 1;
    length = now;
    // Who zooms while time passes goes on seeing it pass.
    if (head.isFollowing && !zoomed && view.endUs < engine.edgeUs) {
      engine.goTo((view.beginUs + view.endUs) / 2);
    }
    if (!head.isFollowing) {
      engine.goTo(Math.max(view.beginUs, Math.min(view.endUs, head.atUs)));
    }
    settle();
    ears.moved();
  };

  const choose = (choice: Choice | undefined, move: boolean): void => {
    view.choice = choice;
    const timeUs = choice === undefined ? undefined : choiceTime(scene, choice);
    // What is looked at should not run away.
    if (timeUs !== undefined && (move || choice?.type === "moment")) engine.goTo(timeUs);
    else if (choice !== undefined && engine.head.isPlaying) engine.run(false);
    settle();
    ears.chosen();
  };

  const controls: Controls = {
    get scene() {
      return scene;
    },
    view,
    canvas: surface.canvas,
    painting: surface.painting,
    redraw: handled,
    choose,
    jump: (direction) => {
      const all = view.search.trim() === "" ? faultsOf(scene) : matches;
      const next = nextOf(all, view, direction);
      if (next !== undefined) choose(next.choice, true);
    },
    toViolation: () => {
      const { violation } = scene.film;
      const [node] = violation?.nodes ?? [];
      if (violation === undefined) return;
      if (node === undefined) engine.goTo(violation.timeUs);
      else choose({ type: "moment", node, timeUs: violation.timeUs }, true);
      settle();
    },
    toSearch: () => ears.toSearch(),
    clear: () => {
      view.search = "";
      matches = [];
      choose(undefined, false);
    },
    help: () => ears.help(),
  };
  listen(controls, surface.hover);
  settle();

  return {
    surface,
    controls,
    view,
    matches: () => matches,
    show(picture) {
      const old = scene;
      scene = sceneOf(picture.film);
      ({ overview } = picture);
      view.sieve = undefined;
      if (view.choice !== undefined) view.choice = rechoose(old, scene, view.choice);
      if (view.choice?.type === "moment" && engine.head.isFollowing) {
        view.choice = { ...view.choice, timeUs: engine.edgeUs };
      }
      matches = search(scene, view.search);
      settle();
    },
    moved: settle,
    follow() {
      const over = engine.atUs - (view.beginUs + length * 0.7);
      if (over > 0) {
        view.beginUs += over;
        view.endUs += over;
      }
      settle();
    },
    seek(text) {
      view.search = text;
      matches = search(scene, text);
      ears.moved();
    },
    chooseLane(node) {
      if (node < 0 || node >= scene.film.nodes.length) return;
      view.choice = { type: "moment", node, timeUs: engine.atUs };
      const { layout } = surface.painting();
      const [top, high] = [layout.top[node] ?? 0, layout.high[node] ?? 0];
      const room = layout.height - 90;
      view.scroll = Math.max(Math.min(view.scroll, top), top + high - room);
      settle();
      ears.chosen();
    },
  };
}

/** The moment at which the next message sets out, or the one before. */
export function messageBeside({ arrows }: Scene, atUs: number, direction: 1 | -1): number {
  const times = arrows.sentUs;
  const at = direction === 1 ? firstAt(times, atUs + 1) : firstAt(times, atUs) - 1;
  return times[at] ?? (direction === 1 ? Infinity : 0);
}
