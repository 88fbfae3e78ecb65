/**
 * Messages: one by one where few are in sight, else as density. A lost one is a short stroke that
 * ends in a cross, a late one is dashed, copies are double lines, the past of the violation is
 * bold; so nothing is told by colour alone.
 */
import type { Painting } from "./paint.ts";
import { LABEL_WIDTH, lineY, timeX } from "./lanes.ts";
import { FAMILIES, FATES, firstAt, type Scene } from "./scene.ts";
import { ALL, type View } from "./view.ts";

/** So many at most are drawn one by one: more are a carpet that says nothing, and slow. */
export const MOST_LINES = 1000;
/** Width of a column of the density, in pixels. */
const BIN = 18;

const LOST = FATES.indexOf("lost");
const DROPPED = FATES.indexOf("dropped");
const LATE = FATES.indexOf("late");

/** By message, 1 where the filters let it be seen: made anew only when they have changed. */
function sieve(scene: Scene, view: View): Uint8Array {
  const { group, node, pastOnly, hidden } = view;
  const filters = `${group} ${node} ${String(pastOnly)} ${[...hidden].join(",")}`;
  if (view.sieve?.filters === filters) return view.sieve.shown;
  const { arrows, film } = scene;
  const shown = new Uint8Array(arrows.count);
  for (let i = 0; i < arrows.count; i++) {
    if (hidden.has(arrows.type[i] as number)) continue;
    if (node !== ALL && arrows.from[i] !== node && arrows.to[i] !== node) continue;
    if (pastOnly && arrows.past[i] === 0) continue;
    if (group !== ALL && film.messages.group[arrows.row[i] as number] !== group) continue;
    shown[i] = 1;
  }
  view.sieve = { filters, shown };
  return shown;
}

/** Indices of the shown messages of the window, and how many there are: at most `most` are kept. */
export function inSight(scene: Scene, view: View, most: number): { list: number[]; count: number } {
  const { arrows } = scene;
  const shown = sieve(scene, view);
  const list: number[] = [];
  let count = 0;
  const end = firstAt(arrows.sentUs, view.endUs);
  for (let i = firstAt(arrows.sentUs, view.beginUs - arrows.longestUs); i < end; i++) {
    if ((arrows.endUs[i] as number) < view.beginUs || shown[i] === 0) continue;
    count += 1;
    if (count <= most) list.push(i);
  }
  return { list, count };
}

/** Draws them; gives how many are in sight. */
export function paintArrows(painting: Painting): number {
  const { list, count } = inSight(painting.scene, painting.view, MOST_LINES);
  if (count > MOST_LINES) paintDensity(painting);
  else paintLines(painting, list);
  return count;
}

function paintLines(painting: Painting, list: readonly number[]): void {
  const { context, pen, scene } = painting;
  const { arrows } = scene;
  const hasPast = scene.film.violation !== undefined;
  for (let family = 0; family < FAMILIES.length; family++) {
    for (let style = 0; style < 3; style++) {
      context.strokeStyle = style === 2 ? pen.cone : (pen.families[family] as string);
      context.globalAlpha = style === 2 ? 1 : hasPast ? 0.5 : 0.75;
      context.lineWidth = style === 2 ? 1.75 : 1;
      context.setLineDash(style === 1 ? [5, 4] : []);
      context.beginPath();
      for (const i of list) {
        if (arrows.family[i] !== family) continue;
        const past = arrows.past[i] === 1;
        if ((past ? 2 : arrows.fate[i] === LATE ? 1 : 0) === style) trace(painting, i, list.length);
      }
      context.stroke();
    }
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
  paintCrosses(painting, list);
  const { choice } = painting.view;
  if (choice?.type !== "arrow") return;
  context.strokeStyle = pen.select;
  context.lineWidth = 3;
  context.beginPath();
  trace(painting, choice.index, 1);
  context.stroke();
}

/** The ends of a message's line on the canvas. */
export function endsOf(
  { layout, view, scene }: Omit<Painting, "context" | "pen">,
  i: number,
): readonly [number, number, number, number] {
  const { arrows } = scene;
  const fromY = lineY(layout, view, arrows.from[i] as number);
  const toY = lineY(layout, view, arrows.to[i] as number);
  const x = timeX(layout, view, arrows.sentUs[i] as number);
  const fate = arrows.fate[i];
  if (fate === LOST) {
    const far = Math.max(-26, Math.min(26, (toY - fromY) * 0.4));
    return [x, fromY, x + 8, fromY + far];
  }
  return [x, fromY, timeX(layout, view, arrows.endUs[i] as number), toY];
}

/** Adds a message to the path: its line, its point, and a second line for copies. */
function trace(painting: Painting, i: number, among: number): void {
  const { context, scene } = painting;
  const [x, y, endX, endY] = endsOf(painting, i);
  context.moveTo(x, y);
  context.lineTo(endX, endY);
  if (scene.arrows.doubled[i] === 1) {
    context.moveTo(x + 3, y);
    context.lineTo(endX + 3, endY);
  }
  const fate = scene.arrows.fate[i];
  if (fate === LOST || fate === DROPPED || among > 900) return;
  const length = Math.hypot(endX - x, endY - y);
  if (length < 10) return;
  const [dx, dy] = [(endX - x) / length, (endY - y) / length];
  context.moveTo(endX - dx * 7 - dy * 3, endY - dy * 7 + dx * 3);
  context.lineTo(endX, endY);
  context.lineTo(endX - dx * 7 + dy * 3, endY - dy * 7 - dx * 3);
}

/** Crosses where messages are lost; framed ones where nobody was there to take them. */
function paintCrosses(painting: Painting, list: readonly number[]): void {
  const { context, pen, scene } = painting;
  context.strokeStyle = pen.bad;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const i of list) {
    const fate = scene.arrows.fate[i];
    if (fate !== LOST && fate !== DROPPED) continue;
    const [, , x, y] = endsOf(painting, i);
    context.moveTo(x - 3, y - 3);
    context.lineTo(x + 3, y + 3);
    context.moveTo(x + 3, y - 3);
    context.lineTo(x - 3, y + 3);
    if (fate === DROPPED) context.rect(x - 5, y - 5, 10, 10);
  }
  context.stroke();
}

/**
 * Columns of a few pixels; in each a stroke for each pair of lanes between which something went,
 * the darker the more. Pairs have their places within the column, so that they do not cover each
 * other.
 */
function paintDensity({ context, pen, scene, view, layout }: Painting): void {
  const { arrows, film } = scene;
  const shown = sieve(scene, view);
  const size = film.nodes.length;
  const columns = Math.ceil((layout.width - LABEL_WIDTH) / BIN) + 1;
  const pairs = size * size;
  const counts = new Uint16Array(columns * pairs);
  const bad = new Uint16Array(columns * size);
  const scale = (layout.width - LABEL_WIDTH) / (view.endUs - view.beginUs) / BIN;
  const end = firstAt(arrows.sentUs, view.endUs);
  let most = 1;
  for (let i = firstAt(arrows.sentUs, view.beginUs); i < end; i++) {
    if (shown[i] === 0) continue;
    const column = Math.floor(((arrows.sentUs[i] as number) - view.beginUs) * scale);
    const from = arrows.from[i] as number;
    const to = arrows.to[i] as number;
    // Both directions of a pair are one stroke.
    const at = column * pairs + (from < to ? from * size + to : to * size + from);
    const count = (counts[at] as number) + 1;
    counts[at] = count;
    if (count > most) most = count;
    if (arrows.fate[i] === LOST || arrows.fate[i] === DROPPED) {
      bad[column * size + from] = (bad[column * size + from] as number) + 1;
    }
  }
  const middles = film.nodes.map((_, node) => lineY(layout, view, node));
  const logMost = Math.log2(most + 1);
  for (let column = 0; column < columns; column++) {
    const left = LABEL_WIDTH + column * BIN;
    for (let pair = 0; pair < pairs; pair++) {
      const count = counts[column * pairs + pair] as number;
      if (count === 0) continue;
      const from = Math.floor(pair / size);
      const to = pair % size;
      const low = Math.min(middles[from] as number, middles[to] as number);
      const client = film.nodes[from]?.kind === "client" || film.nodes[to]?.kind === "client";
      context.fillStyle = pen.families[client ? 3 : 0] as string;
      context.globalAlpha = 0.08 + (0.6 * Math.log2(count + 1)) / logMost;
      const x = left + ((from * 5 + to * 3) % (BIN - 1));
      context.fillRect(x, low, 1, Math.abs((middles[to] as number) - (middles[from] as number)));
    }
    context.globalAlpha = 0.9;
    context.fillStyle = pen.bad;
    for (let node = 0; node < size; node++) {
      const count = bad[column * size + node] as number;
      if (count === 0) continue;
      const high = Math.min(9, 2 + Math.log2(count));
      context.fillRect(left + BIN / 2 - 1.5, (middles[node] as number) - high / 2, 3, high);
    }
  }
  context.globalAlpha = 1;
}
