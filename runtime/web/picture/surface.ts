/** The canvas with what floats above it: draws the scene when asked to, once a frame at most. */
import { element } from "./element.ts";
import { find, tipOf } from "./find.ts";
import { layoutOf } from "./lanes.ts";
import { paint, type Painting } from "./paint.ts";
import { type Overview, penOf } from "./pen.ts";
import type { Scene } from "./scene.ts";
import type { View } from "./view.ts";

export interface Surface {
  readonly root: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly painting: () => Painting;
  /** Draws at the next frame. */
  readonly draw: () => void;
  /** Takes the colours of the theme anew, and draws. */
  readonly recolour: () => void;
  /** Shows what the pointer is on; (-1, -1) where it is nowhere. */
  readonly hover: (x: number, y: number) => void;
}

/**
 * `scene` and `overview` are asked at each frame: they may change. `above` draws on top of them.
 */
export function surfaceOf(
  scene: () => Scene,
  view: View,
  overview: () => Overview,
  above?: (painting: Painting) => void,
): Surface {
  const page = document.documentElement;
  let pen = penOf(page, overview());
  let scheduled = false;
  const canvas = element("canvas", {
    tabindex: "0",
    role: "application",
    "aria-label":
      "Lanes of nodes with messages between them over time. Arrows move, plus and minus zoom, " +
      "question mark shows all keys; the story beside it lists the same in words.",
  });
  const tip = element("div", { id: "tip", hidden: "" });
  const root = element("main", { id: "stage" }, canvas, tip);
  const context = canvas.getContext("2d", { alpha: false });
  if (context === null) throw new Error("this browser draws no canvas");

  const painting = (): Painting => {
    const { clientWidth: width, clientHeight: height } = root;
    const now = scene();
    const layout = layoutOf(now.film, view, width, height);
    return { context, pen: { ...pen, overview: overview() }, scene: now, view, layout };
  };
  const drawNow = (): void => {
    scheduled = false;
    const { clientWidth: width, clientHeight: height } = root;
    const ratio = devicePixelRatio;
    if (
      canvas.width !== Math.round(width * ratio) ||
      canvas.height !== Math.round(height * ratio)
    ) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const now = painting();
    canvas.dataset["inSight"] = String(paint(now));
    above?.(now);
  };
  const draw = (): void => {
    if (!scheduled) requestAnimationFrame(drawNow);
    scheduled = true;
  };
  const recolour = (): void => {
    pen = penOf(page, overview());
    draw();
  };
  const hover = (x: number, y: number): void => {
    const found = x < 0 ? undefined : find(painting(), x, y);
    tip.hidden = found === undefined || found.type === "moment";
    if (found === undefined || tip.hidden) return;
    tip.textContent = tipOf(painting(), found);
    tip.style.left = `${Math.max(0, Math.min(x + 14, canvas.clientWidth - tip.offsetWidth))}px`;
    tip.style.top = `${Math.max(0, Math.min(y + 14, canvas.clientHeight - tip.offsetHeight))}px`;
  };
  new ResizeObserver(draw).observe(root);
  return { root, canvas, painting, draw, recolour, hover };
}
