/** Draws the scene: lanes, bands, bars, faults, clocks, the axis and the whole run below. */
import type { Pen } from "./pen.ts";
import type { Bar, Scene } from "./scene.ts";
import { clockText, firstAt, lengthText } from "./scene.ts";
import { paintArrows } from "./arrows.ts";
import {
  bandOf,
  FOOT_HEIGHT,
  HEAD_HEIGHT,
  LABEL_WIDTH,
  type Layout,
  timeX,
  topY,
} from "./lanes.ts";
import { ALL, type View } from "./view.ts";

export interface Painting {
  readonly context: CanvasRenderingContext2D;
  readonly pen: Pen;
  readonly scene: Scene;
  readonly view: View;
  readonly layout: Layout;
}

/** Draws everything anew. Gives how many messages are in sight. */
export function paint(painting: Painting): number {
  const { context, pen, layout } = painting;
  const { width, height } = layout;
  context.fillStyle = pen.ground;
  context.fillRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(0, HEAD_HEIGHT, width, height - HEAD_HEIGHT - FOOT_HEIGHT);
  context.clip();
  paintLanes(painting);
  context.beginPath();
  context.rect(LABEL_WIDTH, HEAD_HEIGHT, width, height);
  context.clip();
  paintStatuses(painting);
  const inSight = paintArrows(painting);
  paintRoles(painting);
  paintClocks(painting);
  paintBars(painting);
  paintPast(painting);
  paintChoice(painting);
  context.restore();
  paintLabels(painting);
  paintHead(painting);
  paintFoot(painting);
  return inSight;
}

function paintLanes({ context, pen, scene, view, layout }: Painting): void {
  scene.film.nodes.forEach((_, node) => {
    const y = topY(layout, view, node);
    context.fillStyle = node % 2 === 0 ? pen.lane : pen.ground;
    context.fillRect(0, y, layout.width, layout.high[node] as number);
    context.fillStyle = pen.line;
    context.fillRect(LABEL_WIDTH, y + (layout.high[node] as number) * 0.5, layout.width, 1);
  });
}

/** A process that is down leaves a grey block with strokes; one that stands still, fewer. */
function paintStatuses({ context, pen, scene, view, layout }: Painting): void {
  for (const { node, status, beginUs, endUs } of scene.statuses) {
    if (status === "up" || endUs < view.beginUs || beginUs > view.endUs) continue;
    const x = Math.max(LABEL_WIDTH, timeX(layout, view, beginUs));
    const width = Math.max(1.5, Math.min(layout.width, timeX(layout, view, endUs)) - x);
    const y = topY(layout, view, node);
    const high = layout.high[node] as number;
    context.fillStyle = pen.down;
    context.globalAlpha = status === "paused" ? 0.14 : 0.34;
    context.fillRect(x, y + 1, width, high - 2);
    context.globalAlpha = 1;
    context.save();
    context.beginPath();
    context.rect(x, y + 1, width, high - 2);
    context.clip();
    context.strokeStyle = pen.down;
    context.lineWidth = 1;
    context.beginPath();
    const gap = status === "paused" ? 16 : 8;
    for (let at = x - (x % gap) - high; at < x + width; at += gap) {
      if (status === "paused") {
        context.moveTo(at + high, y);
        context.lineTo(at + high, y + high);
      } else {
        context.moveTo(at, y + high);
        context.lineTo(at + high, y);
      }
    }
    context.stroke();
    context.restore();
    if (width < 44) continue;
    context.fillStyle = pen.text;
    context.font = pen.small;
    context.fillText(status, x + 4, y + high - 5);
  }
}

function paintRoles({ context, pen, scene, view, layout }: Painting): void {
  const stores = scene.groups.filter((group) => group !== 0);
  context.font = pen.small;
  for (const { node, group, role, term, beginUs, endUs } of scene.roles) {
    if (beginUs > view.endUs) break;
    if (endUs < view.beginUs || (view.group !== ALL && group !== view.group)) continue;
    if (role === "follower" && view.group === ALL) continue;
    const x = Math.max(LABEL_WIDTH - 4, timeX(layout, view, beginUs));
    const width = Math.max(1.5, Math.min(layout.width + 4, timeX(layout, view, endUs)) - x);
    const [y, height] = bandOf(layout, view, group === 0 ? [0] : stores, node, group);
    const colour = pen.groups[group % pen.groups.length] as string;
    const text = view.group === ALL ? `${nameOf(group)} t${term}` : `${role} t${term}`;
    const letters = Math.max(x, LABEL_WIDTH) - x + context.measureText(text).width + 8;
    const isTold = height >= 9 && width > letters;
    context.fillStyle = role === "leader" ? colour : pen.soft;
    context.globalAlpha = role === "follower" ? 0.16 : role === "leader" ? 0.9 : 1;
    if (role === "leader" || role === "follower") {
      context.fillRect(x, y, width, height);
    } else {
      // Candidates: a dotted line, told apart from leaders without colour.
      for (let at = isTold ? x + letters : x; at < x + width; at += 4) {
        context.fillRect(at, y + height / 2 - 1, 2, 2);
      }
    }
    context.globalAlpha = 1;
    if (!isTold) continue;
    context.fillStyle = role === "leader" ? pen.onBand : pen.text;
    context.fillText(text, Math.max(x, LABEL_WIDTH) + 3, y + height - 2);
  }
}

export const nameOf = (group: number): string => (group === 0 ? "pd" : `r${group}`);

/** How far each server's wall clock is off: a line at the foot of its lane, the middle is right. */
function paintClocks({ context, pen, scene, view, layout }: Painting): void {
  const { clocks, nodes } = scene.film;
  const end = firstAt(clocks.timeUs, view.endUs);
  context.strokeStyle = pen.fault;
  context.lineWidth = 1.25;
  nodes.forEach(({ kind }, node) => {
    if (kind === "client") return;
    const high = layout.high[node] as number;
    const middle = topY(layout, view, node) + high * 0.84;
    // A second and an hour both stay in the lane: the scale is logarithmic from 0.1 s on.
    const offsetY = (us: number): number => middle - (Math.asinh(us / 1e5) / 12) * high * 0.14 * 2;
    context.beginPath();
    let begun = false;
    let y = 0;
    for (let row = 0; row < end; row++) {
      if (clocks.node[row] !== node) continue;
      const x = Math.max(LABEL_WIDTH, timeX(layout, view, clocks.timeUs[row] as number));
      if (begun) context.lineTo(x, y);
      y = offsetY(clocks.offsetUs[row] as number);
      if (begun) context.lineTo(x, y);
      else context.moveTo(x, y);
      begun = true;
    }
    if (begun) context.lineTo(layout.width, y);
    context.stroke();
  });
}

/** Bars of one pixel and less, very many of them, are drawn once for each pixel. */
function paintBars({ context, pen, scene, view, layout }: Painting): void {
  context.font = pen.small;
  const painted = new Map<number, number>();
  const { bars, barStarts, longestBarUs } = scene;
  const end = firstAt(barStarts, view.endUs);
  for (let i = firstAt(barStarts, view.beginUs - longestBarUs); i < end; i++) {
    const bar = bars[i] as Bar;
    if (bar.endUs < view.beginUs) continue;
    const x = Math.max(LABEL_WIDTH - 4, timeX(layout, view, bar.beginUs));
    const until = Math.min(layout.width + 4, timeX(layout, view, bar.endUs));
    const lane = bar.node * 8 + bar.line;
    const isGood = bar.end === "answered";
    if (isGood && until <= (painted.get(lane) ?? 0)) continue;
    painted.set(lane, Math.max(until, Math.ceil(x)));
    const [y, height] = barBox(layout, view, bar);
    const width = Math.max(1, until - x);
    context.fillStyle = isGood ? pen.call : bar.end === "error" ? pen.vote : pen.bad;
    context.globalAlpha = bar.kind === "operation" ? 0.45 : 0.85;
    if (isGood || width < 5) {
      context.fillRect(x, y, width, height);
    } else {
      // What did not succeed is hollow; what never got an answer also has no end.
      context.globalAlpha = 1;
      context.fillRect(x, y, width, 1);
      context.fillRect(x, y + height - 1, width, 1);
      context.fillRect(x, y, 1.5, height);
      if (bar.end !== "lost" && bar.end !== "open") {
        context.fillRect(x + width - 1.5, y, 1.5, height);
      }
    }
    context.globalAlpha = 1;
    if (height < 9 || width < 60) continue;
    context.fillStyle = pen.text;
    const room = Math.floor((width - 8) / 5.6);
    context.fillText(bar.text.slice(0, room), Math.max(x, LABEL_WIDTH) + 3, y + height - 2);
  }
}

export function barBox(layout: Layout, view: View, bar: Bar): readonly [number, number] {
  const high = layout.high[bar.node] as number;
  const y = topY(layout, view, bar.node);
  if (bar.kind === "operation") return [y + 2, Math.min(12, high * 0.3)];
  const height = Math.min(10, (high * 0.44) / 4);
  return [y + high * 0.52 + (bar.line - 1) * height, Math.max(2, height - 1)];
}

/** The past of the violation: a step in each lane, and the moment itself. */
function paintPast({ context, pen, scene, view, layout }: Painting): void {
  const { violation } = scene.film;
  if (violation === undefined) return;
  context.strokeStyle = pen.cone;
  context.fillStyle = pen.cone;
  violation.cutUs.forEach((cut, node) => {
    if (cut < 0) return;
    const x = timeX(layout, view, cut);
    const y = topY(layout, view, node);
    const high = layout.high[node] as number;
    context.globalAlpha = 0.06;
    context.fillRect(LABEL_WIDTH, y, Math.max(0, x - LABEL_WIDTH), high);
    context.globalAlpha = 1;
    context.lineWidth = violation.nodes.includes(node) ? 3 : 1.5;
    context.setLineDash(violation.nodes.includes(node) ? [] : [4, 3]);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x, y + high);
    context.stroke();
    context.setLineDash([]);
    if (!violation.nodes.includes(node)) return;
    const middle = y + high / 2;
    context.beginPath();
    context.moveTo(x, middle - 9);
    context.lineTo(x + 9, middle);
    context.lineTo(x, middle + 9);
    context.lineTo(x - 9, middle);
    context.fill();
    context.fillStyle = pen.ground;
    context.font = pen.bold;
    context.fillText("!", x - 2, middle + 4.5);
    context.fillStyle = pen.cone;
  });
}

function paintChoice({ context, pen, scene, view, layout }: Painting): void {
  const { choice } = view;
  const at = choice === undefined ? undefined : choiceTime(scene, choice);
  if (at === undefined) return;
  const x = timeX(layout, view, at);
  context.fillStyle = pen.select;
  context.globalAlpha = 0.7;
  context.fillRect(x - 0.5, HEAD_HEIGHT, 1, layout.height);
  context.globalAlpha = 1;
  if (choice?.type !== "moment") return;
  const y = topY(layout, view, choice.node);
  context.strokeStyle = pen.select;
  context.lineWidth = 2;
  context.strokeRect(x - 4, y + 2, 8, (layout.high[choice.node] as number) - 4);
}

/** When what is chosen happens. */
export function choiceTime(scene: Scene, choice: NonNullable<View["choice"]>): number | undefined {
  const { film } = scene;
  switch (choice.type) {
    case "moment":
      return choice.timeUs;
    case "arrow":
      return scene.arrows.sentUs[choice.index];
    case "bar":
      return scene.bars[choice.index]?.beginUs;
    case "fault":
      return film.faults[choice.index]?.timeUs;
    case "role":
      return scene.roles[choice.index]?.beginUs;
    default:
      return film.lines[choice.index]?.timeUs;
  }
}

function paintLabels({ context, pen, scene, view, layout }: Painting): void {
  context.save();
  context.beginPath();
  context.rect(0, HEAD_HEIGHT, LABEL_WIDTH, layout.height - HEAD_HEIGHT - FOOT_HEIGHT);
  context.clip();
  scene.film.nodes.forEach(({ name, kind }, node) => {
    const y = topY(layout, view, node);
    const chosen = view.choice?.type === "moment" && view.choice.node === node;
    context.fillStyle = chosen || view.node === node ? pen.select : pen.text;
    context.font = kind === "client" ? pen.normal : pen.bold;
    context.fillText(name, 8, y + (layout.high[node] as number) / 2 + 4);
    if (kind === "client") return;
    context.font = pen.small;
    context.fillStyle = pen.soft;
    context.fillText("clock", 8, y + (layout.high[node] as number) * 0.84 + 3);
  });
  context.restore();
  context.fillStyle = pen.line;
  context.fillRect(LABEL_WIDTH - 1, HEAD_HEIGHT, 1, layout.height - HEAD_HEIGHT);
}

/** The axis, and below it the faults: a bar for how long, a triangle where one begins. */
function paintHead({ context, pen, scene, view, layout }: Painting): void {
  const { film } = scene;
  context.fillStyle = pen.panel;
  context.fillRect(0, 0, layout.width, HEAD_HEIGHT);
  const step = stepOf(
    (view.endUs - view.beginUs) / Math.max(2, (layout.width - LABEL_WIDTH) / 110),
  );
  context.font = pen.small;
  context.save();
  context.beginPath();
  context.rect(LABEL_WIDTH, 0, layout.width, layout.height);
  context.clip();
  for (let at = Math.ceil(view.beginUs / step) * step; at < view.endUs; at += step) {
    const x = timeX(layout, view, at);
    context.fillStyle = pen.line;
    context.fillRect(x, 20, 1, 5);
    context.fillStyle = pen.soft;
    context.fillText(clockText(at, step), x + 3, 14);
  }
  film.faults.forEach(({ timeUs, endUs }, index) => {
    if (endUs < view.beginUs || timeUs > view.endUs) return;
    const x = timeX(layout, view, timeUs);
    const chosen = view.choice?.type === "fault" && view.choice.index === index;
    context.fillStyle = chosen ? pen.select : pen.fault;
    context.globalAlpha = 0.35;
    context.fillRect(x, 30 + (index % 3) * 4, Math.max(1, timeX(layout, view, endUs) - x), 3);
    context.globalAlpha = 1;
    context.beginPath();
    context.moveTo(x - 5, 27);
    context.lineTo(x + 5, 27);
    context.lineTo(x, 36);
    context.fill();
  });
  if (film.healedUs !== undefined) {
    const x = timeX(layout, view, film.healedUs);
    context.fillStyle = pen.call;
    context.fillRect(x, 24, 1, layout.height - FOOT_HEIGHT - 24);
    context.fillText("faults end", x + 4, 43);
  }
  context.restore();
  context.fillStyle = pen.soft;
  context.fillText("faults", 8, 36);
  context.fillText(lengthText(view.endUs - view.beginUs), 8, 14);
  context.fillStyle = pen.line;
  context.fillRect(0, HEAD_HEIGHT - 1, layout.width, 1);
}

/** 1, 2 or 5 times a power of ten, and not less than `least`. */
function stepOf(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((times) => power * times >= least) ?? 10);
}

/** The whole run: how many messages when, how many of them lost, faults, and the window. */
function paintFoot({ context, pen, scene, view, layout }: Painting): void {
  const { film } = scene;
  const y = layout.height - FOOT_HEIGHT;
  const room = layout.width - LABEL_WIDTH;
  const x = (timeUs: number): number => LABEL_WIDTH + (timeUs / Math.max(1, film.endUs)) * room;
  context.fillStyle = pen.panel;
  context.fillRect(0, y, layout.width, FOOT_HEIGHT);
  const { bins, lost, most } = pen.overview;
  const width = room / bins.length;
  for (let i = 0; i < bins.length; i++) {
    const high = ((bins[i] as number) / most) * (FOOT_HEIGHT - 12);
    const badly = ((lost[i] as number) / most) * (FOOT_HEIGHT - 12);
    context.fillStyle = pen.soft;
    context.fillRect(LABEL_WIDTH + i * width, y + FOOT_HEIGHT - high, width, high);
    context.fillStyle = pen.bad;
    context.fillRect(LABEL_WIDTH + i * width, y + FOOT_HEIGHT - badly, width, badly);
  }
  context.fillStyle = pen.fault;
  for (const { timeUs } of film.faults) context.fillRect(x(timeUs), y + 3, 1.5, 6);
  if (film.violation !== undefined) {
    context.fillStyle = pen.cone;
    context.fillRect(x(film.violation.timeUs) - 1.5, y, 3, FOOT_HEIGHT);
  }
  context.strokeStyle = pen.select;
  context.lineWidth = 2;
  const left = x(Math.max(0, view.beginUs));
  const right = Math.min(layout.width - 1, x(view.endUs));
  context.strokeRect(left, y + 1, Math.max(3, right - left), FOOT_HEIGHT - 2);
  context.font = pen.small;
  context.fillStyle = pen.soft;
  context.fillText("whole run", 8, y + 24);
}
