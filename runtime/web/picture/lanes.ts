/** Where everything stands on the canvas, in its own pixels. */
import type { Film } from "../../../sim/film/film.ts";
import type { View } from "./view.ts";

export const LABEL_WIDTH = 92;
/** Above the lanes: the axis and the marks of faults. */
export const HEAD_HEIGHT = 46;
/** Below them: the whole run at a glance. */
export const FOOT_HEIGHT = 40;
const SERVER_HEIGHT = 74;
const CLIENT_HEIGHT = 46;

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** By node: where its lane begins and how high it is, before scrolling; 0 high where hidden. */
  readonly top: readonly number[];
  readonly high: readonly number[];
  readonly total: number;
}

export function layoutOf(film: Film, view: View, width: number, height: number): Layout {
  const top: number[] = [];
  const high: number[] = [];
  let total = 0;
  const natural = film.nodes.map(({ kind }) => (kind === "client" ? CLIENT_HEIGHT : SERVER_HEIGHT));
  const wanted = natural.reduce((sum, one) => sum + one, 0);
  const room = height - HEAD_HEIGHT - FOOT_HEIGHT;
  const stretch = Math.max(1, Math.min(2.2, room / wanted));
  for (const one of natural) {
    top.push(total);
    high.push(one * stretch);
    total += one * stretch;
  }
  view.scroll = Math.max(0, Math.min(view.scroll, total - room));
  return { width, height, top, high, total };
}

/** The line of a lane on which messages begin and end. */
export const lineY = (layout: Layout, view: View, node: number): number =>
  topY(layout, view, node) + (layout.high[node] as number) * 0.5;

export const topY = (layout: Layout, view: View, node: number): number =>
  HEAD_HEIGHT + (layout.top[node] as number) - view.scroll;

export const timeX = (layout: Layout, view: View, timeUs: number): number =>
  LABEL_WIDTH +
  ((timeUs - view.beginUs) / (view.endUs - view.beginUs)) * (layout.width - LABEL_WIDTH);

export const xTime = (layout: Layout, view: View, x: number): number =>
  view.beginUs + ((x - LABEL_WIDTH) / (layout.width - LABEL_WIDTH)) * (view.endUs - view.beginUs);

/** The node whose lane is at `y`. */
export function nodeAt(layout: Layout, view: View, y: number): number | undefined {
  if (y < HEAD_HEIGHT || y > layout.height - FOOT_HEIGHT) return undefined;
  const at = y - HEAD_HEIGHT + view.scroll;
  const node = layout.top.findIndex((top, i) => at >= top && at < top + (layout.high[i] as number));
  return node < 0 ? undefined : node;
}

/** The band of a group within its lane: leaders of several groups stand above each other. */
export function bandOf(
  layout: Layout,
  view: View,
  groups: readonly number[],
  node: number,
  group: number,
): readonly [y: number, height: number] {
  const shown = view.group >= 0 ? [view.group] : groups;
  const room = (layout.high[node] as number) * 0.36;
  const lines = Math.max(1, shown.length);
  const height = Math.min(12, room / lines);
  const place = Math.max(0, shown.indexOf(group));
  return [topY(layout, view, node) + 3 + place * height, Math.max(1.5, height - 1)];
}
