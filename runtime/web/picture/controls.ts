/** What keys and pointer can do with the page. */
import { find } from "./find.ts";
import { nodeAt } from "./lanes.ts";
import type { Painting } from "./paint.ts";
import type { Scene } from "./scene.ts";
import type { Choice, View } from "./view.ts";

export interface Controls {
  readonly scene: Scene;
  readonly view: View;
  readonly canvas: HTMLCanvasElement;
  readonly painting: () => Painting;
  redraw(): void;
  choose(choice: Choice | undefined, move: boolean): void;
  /** To the next (1) or previous (-1) match of the search, or fault where nothing is searched. */
  jump(direction: 1 | -1): void;
  toViolation(): void;
  toSearch(): void;
  clear(): void;
  help(): void;
}

/** What is at a point of the canvas: something, or the lane itself. */
export const pointed = (stage: Controls, x: number, y: number): Choice | undefined => {
  const place = stage.painting();
  const found = find(place, x, y);
  const node = nodeAt(place.layout, stage.view, y);
  if (found !== undefined || node === undefined) return found;
  return { type: "moment", node, timeUs: (stage.view.beginUs + stage.view.endUs) / 2 };
};
