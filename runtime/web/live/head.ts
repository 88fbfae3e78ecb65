/** The moment that is looked at, as a line through all lanes; and what lies behind it, paler. */
import { FOOT_HEIGHT, HEAD_HEIGHT, timeX } from "../picture/lanes.ts";
import type { Painting } from "../picture/paint.ts";
import type { Engine } from "./engine.ts";

export function paintHead({ context, pen, layout, view }: Painting, engine: Engine): void {
  const { atUs, edgeUs, head } = engine;
  const x = timeX(layout, view, atUs);
  const edgeX = timeX(layout, view, edgeUs);
  const bottom = layout.height - FOOT_HEIGHT;
  if (!head.isFollowing && edgeX > x) {
    context.fillStyle = pen.ground;
    context.globalAlpha = 0.45;
    context.fillRect(x, HEAD_HEIGHT, Math.min(edgeX, layout.width) - x, bottom - HEAD_HEIGHT);
    context.globalAlpha = 1;
  }
  if (x < 0 || x > layout.width) return;
  context.fillStyle = pen.select;
  context.fillRect(x - 0.75, HEAD_HEIGHT - 8, 1.5, bottom - HEAD_HEIGHT + 8);
  context.beginPath();
  context.moveTo(x - 6, HEAD_HEIGHT - 10);
  context.lineTo(x + 6, HEAD_HEIGHT - 10);
  context.lineTo(x, HEAD_HEIGHT);
  context.fill();
}
