/** Mouse, pen and touch: drag to move, wheel to zoom, click to choose, the foot to go anywhere. */
import { FOOT_HEIGHT, LABEL_WIDTH, xTime } from "./lanes.ts";
import { type Controls, pointed } from "./controls.ts";
import { show, zoom } from "./view.ts";

/** Less movement than this is a click. */
const CLICK_PIXELS = 4;

/** `hover` is told where the pointer is, and (-1, -1) where it has left or drags. */
export function listen(stage: Controls, hover: (x: number, y: number) => void): void {
  const { canvas, view } = stage;
  let drag: { x: number; y: number; moved: boolean; foot: boolean } | undefined;
  let waiting = false;
  const perPixel = (): number =>
    (view.endUs - view.beginUs) / Math.max(1, canvas.clientWidth - LABEL_WIDTH);
  const footTo = (x: number): void => {
    const part = (x - LABEL_WIDTH) / (canvas.clientWidth - LABEL_WIDTH);
    const half = (view.endUs - view.beginUs) / 2;
    const { film } = stage.scene;
    show(view, film, part * film.endUs - half, part * film.endUs + half);
    stage.redraw();
  };
  canvas.addEventListener("pointerdown", (event) => {
    const { offsetX: x, offsetY: y } = event;
    canvas.setPointerCapture(event.pointerId);
    drag = { x, y, moved: false, foot: y > canvas.clientHeight - FOOT_HEIGHT };
    if (drag.foot) footTo(x);
  });
  canvas.addEventListener("pointermove", (event) => {
    const { offsetX: x, offsetY: y } = event;
    if (drag === undefined) {
      // One look for what is there in each frame is enough.
      if (!waiting) {
        requestAnimationFrame(() => {
          waiting = false;
          hover(x, y);
        });
      }
      waiting = true;
      return;
    }
    if (Math.hypot(x - drag.x, y - drag.y) > CLICK_PIXELS && !drag.moved) {
      drag.moved = true;
      hover(-1, -1);
    }
    if (!drag.moved) return;
    if (drag.foot) {
      footTo(x);
      return;
    }
    const by = (drag.x - x) * perPixel();
    show(view, stage.scene.film, view.beginUs + by, view.endUs + by);
    view.scroll += drag.y - y;
    drag.x = x;
    drag.y = y;
    stage.redraw();
  });
  canvas.addEventListener("pointerup", ({ offsetX: x, offsetY: y }) => {
    if (drag !== undefined && !drag.moved && !drag.foot) stage.choose(pointed(stage, x, y), false);
    drag = undefined;
  });
  canvas.addEventListener("pointercancel", () => (drag = undefined));
  canvas.addEventListener("pointerleave", () => hover(-1, -1));
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const by = (event.deltaX || event.deltaY) * perPixel();
        show(view, stage.scene.film, view.beginUs + by, view.endUs + by);
      } else if (event.altKey) {
        view.scroll += event.deltaY;
      } else {
        const factor = 2 ** (Math.max(-200, Math.min(200, event.deltaY)) / 200);
        zoom(view, stage.scene.film, factor, xTime(stage.painting().layout, view, event.offsetX));
      }
      stage.redraw();
    },
    { passive: false },
  );
}
