/** What is under the pointer, and what a search finds. */
import type { Painting } from "./paint.ts";
import { barBox } from "./paint.ts";
import { endsOf, inSight, MOST_LINES } from "./arrows.ts";
import { bandOf, HEAD_HEIGHT, LABEL_WIDTH, nodeAt, timeX, xTime } from "./lanes.ts";
import { type Scene, clockText } from "./scene.ts";
import { ALL, type Choice, type View } from "./view.ts";

type Place = Omit<Painting, "context" | "pen">;

/** The nearest thing within some pixels; else the moment of the lane there. */
export function find(place: Place, x: number, y: number): Choice | undefined {
  const { scene, view, layout } = place;
  if (x < LABEL_WIDTH) return undefined;
  if (y < HEAD_HEIGHT) return faultAt(place, x);
  const node = nodeAt(layout, view, y);
  if (node === undefined) return undefined;
  const timeUs = xTime(layout, view, x);
  const slack = xTime(layout, view, x + 3) - timeUs;
  const stores = scene.groups.filter((group) => group !== 0);
  const within = (begin: number, end: number): boolean =>
    timeUs >= begin - slack && timeUs <= end + slack;
  const role = scene.roles.findLastIndex((span) => {
    if (span.node !== node || !within(span.beginUs, span.endUs)) return false;
    if (view.group === ALL ? span.role === "follower" : span.group !== view.group) return false;
    const [top, height] = bandOf(layout, view, span.group === 0 ? [0] : stores, node, span.group);
    return y >= top && y <= top + height;
  });
  if (role >= 0) return { type: "role", index: role };
  const bar = scene.bars.findLastIndex((one) => {
    if (one.node !== node || !within(one.beginUs, one.endUs)) return false;
    const [top, height] = barBox(layout, view, one);
    return y >= top && y <= top + height;
  });
  if (bar >= 0) return { type: "bar", index: bar };
  const arrow = arrowAt(place, x, y);
  return arrow === undefined ? { type: "moment", node, timeUs } : { type: "arrow", index: arrow };
}

function faultAt({ scene, view, layout }: Place, x: number): Choice | undefined {
  let best: number | undefined;
  let least = 7;
  scene.film.faults.forEach(({ timeUs }, index) => {
    const far = Math.abs(timeX(layout, view, timeUs) - x);
    if (far <= least) [best, least] = [index, far];
  });
  return best === undefined ? undefined : { type: "fault", index: best };
}

function arrowAt(place: Place, x: number, y: number): number | undefined {
  const { list, count } = inSight(place.scene, place.view, MOST_LINES);
  if (count > MOST_LINES) return undefined;
  let best: number | undefined;
  let least = 5;
  for (const i of list) {
    const far = distance(endsOf(place, i), x, y);
    if (far < least) [best, least] = [i, far];
  }
  return best;
}

/** From a point to a line between two points. */
function distance(
  [x, y, endX, endY]: readonly [number, number, number, number],
  px: number,
  py: number,
): number {
  const [dx, dy] = [endX - x, endY - y];
  const length = dx * dx + dy * dy;
  const part =
    length === 0 ? 0 : Math.max(0, Math.min(1, ((px - x) * dx + (py - y) * dy) / length));
  return Math.hypot(px - x - part * dx, py - y - part * dy);
}

/** What a search finds, in order of time. */
export interface Match {
  readonly timeUs: number;
  readonly text: string;
  readonly choice: Choice;
}

/** More matches of one kind than this help nobody. */
const MOST_MATCHES = 2000;

export function search(scene: Scene, text: string): Match[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [];
  const { film, arrows, bars } = scene;
  const matches: Match[] = [];
  const isWanted = (one: string): boolean => one.toLowerCase().includes(wanted);
  film.faults.forEach((fault, index) => {
    if (isWanted(`${fault.type} ${fault.text}`)) {
      matches.push({ timeUs: fault.timeUs, text: fault.text, choice: { type: "fault", index } });
    }
  });
  film.lines.forEach((line, index) => {
    if (line.topic !== "fault" && isWanted(`${line.topic} ${line.text}`)) {
      matches.push({ timeUs: line.timeUs, text: line.text, choice: { type: "line", index } });
    }
  });
  let kept = 0;
  for (const [index, bar] of bars.entries()) {
    if (kept === MOST_MATCHES) break;
    if (!isWanted(`${bar.text} ${bar.end}`)) continue;
    kept += 1;
    matches.push({ timeUs: bar.beginUs, text: bar.text, choice: { type: "bar", index } });
  }
  const words = new Set(film.words.flatMap((word, i) => (isWanted(word) ? i : [])));
  kept = 0;
  for (let i = 0; i < arrows.count && kept < MOST_MATCHES; i++) {
    const type = arrows.type[i] as number;
    if (!words.has(type)) continue;
    kept += 1;
    const name = film.words[type] ?? "";
    const timeUs = arrows.sentUs[i] as number;
    matches.push({ timeUs, text: name, choice: { type: "arrow", index: i } });
  }
  return matches.sort((a, b) => a.timeUs - b.timeUs);
}

/** The faults of the film as something to go to. */
export const faultsOf = ({ film }: Scene): Pick<Match, "timeUs" | "choice">[] =>
  film.faults.map(({ timeUs }, index) => ({ timeUs, choice: { type: "fault", index } }));

/**
 * The one after (1) or before (-1) what is chosen, or what is in sight; past the last, the first.
 */
export function nextOf<One extends Pick<Match, "timeUs" | "choice">>(
  all: readonly One[],
  view: View,
  direction: 1 | -1,
): One | undefined {
  const now = view.choice;
  const at = all.findIndex(
    ({ choice }) =>
      choice.type === now?.type &&
      "index" in choice &&
      "index" in now &&
      choice.index === now.index,
  );
  const near =
    direction === 1
      ? all.findIndex(({ timeUs }) => timeUs >= view.beginUs)
      : all.findLastIndex(({ timeUs }) => timeUs <= view.endUs);
  return all[at < 0 ? near : at + direction] ?? all.at(direction === 1 ? 0 : -1);
}

/** One line for a tip beside the pointer. */
export function tipOf({ scene }: Place, choice: Choice): string {
  const { film, arrows, bars, roles } = scene;
  switch (choice.type) {
    case "arrow": {
      const name = film.words[arrows.type[choice.index] as number] ?? "";
      const from = film.nodes[arrows.from[choice.index] as number]?.name ?? "";
      return `${name}\n${from} → ${film.nodes[arrows.to[choice.index] as number]?.name ?? ""}`;
    }
    case "bar":
      return `${bars[choice.index]?.text ?? ""}\n${bars[choice.index]?.end ?? ""}`;
    case "fault":
      return film.faults[choice.index]?.text ?? "";
    case "role": {
      const span = roles[choice.index];
      return span === undefined ? "" : `${span.role} of group ${span.group}, term ${span.term}`;
    }
    case "moment":
      return `${film.nodes[choice.node]?.name ?? ""} at ${clockText(choice.timeUs, 1)}`;
    default:
      return film.lines[choice.index]?.text ?? "";
  }
}
