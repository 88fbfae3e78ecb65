/** The keyboard: everything that the mouse can do. */
import { element } from "./element.ts";
import type { Controls } from "./controls.ts";
import { show, zoom } from "./view.ts";

/** Keys, and what they do. */
export type KeyText = readonly [keys: string, text: string];

const KEYS: readonly KeyText[] = [
  ["← →", "move through time (with Shift: a whole window)"],
  ["↑ ↓", "choose the lane above or below: its state at this moment"],
  ["+ −", "zoom in, zoom out"],
  ["0", "the whole run"],
  ["Home End", "the beginning, the end"],
  ["/", "search; Enter goes to the next match"],
  ["n p", "next, previous match; without a search, fault"],
  ["v", "to the violation"],
  ["Esc", "take back the choice and the search"],
  ["?", "these keys"],
];

/** `more` are the keys of the page that only it has. */
export function helpDialog(more: readonly KeyText[] = []): HTMLDialogElement {
  const rows = [...more, ...KEYS].map(([keys, text]) =>
    element(
      "tr",
      {},
      element("td", {}, ...keys.split(" ").flatMap((key) => [element("kbd", {}, key), " "])),
      element("td", {}, text),
    ),
  );
  const close = element("form", { method: "dialog" }, element("button", {}, "Close"));
  const mouse =
    "Drag to move, turn the wheel to zoom (with Alt: scroll the lanes), click anything for details. " +
    "The strip at the bottom is the whole run.";
  return element(
    "dialog",
    { "aria-label": "Keys and help" },
    element("h2", {}, "Keys"),
    element("table", {}, ...rows),
    element("p", {}, mouse),
    close,
  );
}

export function onKey(stage: Controls, event: KeyboardEvent): void {
  const { target } = event;
  if (isTaken(target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]") !== null) return;
  if (act(stage, event.key, event.shiftKey)) event.preventDefault();
}

/** Whether keys are for the element that has the focus: it takes text, or arrows choose in it. */
export const isTaken = (target: EventTarget | null): boolean =>
  target instanceof HTMLSelectElement ||
  target instanceof HTMLTextAreaElement ||
  (target instanceof HTMLInputElement && target.type !== "checkbox");

/** Does what the key says; false where it says nothing. */
function act(stage: Controls, key: string, shift: boolean): boolean {
  const { view, scene } = stage;
  const { film } = scene;
  const length = view.endUs - view.beginUs;
  const middle = (view.beginUs + view.endUs) / 2;
  const move = (by: number): void => show(view, film, view.beginUs + by, view.endUs + by);
  switch (key) {
    case "ArrowLeft":
      move(-length * (shift ? 1 : 0.12));
      break;
    case "ArrowRight":
      move(length * (shift ? 1 : 0.12));
      break;
    case "ArrowUp":
    case "ArrowDown":
      lane(stage, key === "ArrowUp" ? -1 : 1);
      return true;
    case "+":
    case "=":
      zoom(view, film, 1 / 1.6, chosenOr(stage, middle));
      break;
    case "-":
    case "_":
      zoom(view, film, 1.6, middle);
      break;
    case "0":
      show(view, film, 0, film.endUs);
      break;
    case "Home":
      move(-view.beginUs);
      break;
    case "End":
      move(film.endUs - view.endUs);
      break;
    case "n":
    case "p":
      stage.jump(key === "n" ? 1 : -1);
      return true;
    case "v":
      stage.toViolation();
      return true;
    case "/":
      stage.toSearch();
      return true;
    case "?":
      stage.help();
      return true;
    case "Escape":
      stage.clear();
      return true;
    default:
      return false;
  }
  stage.redraw();
  return true;
}

/** Around what to zoom: the chosen moment where it is in sight. */
function chosenOr({ view }: Controls, middle: number): number {
  const { choice } = view;
  const inside =
    choice?.type === "moment" && choice.timeUs > view.beginUs && choice.timeUs < view.endUs;
  return inside ? choice.timeUs : middle;
}

function lane(stage: Controls, by: 1 | -1): void {
  const { view, scene } = stage;
  const { choice } = view;
  const middle = (view.beginUs + view.endUs) / 2;
  const count = scene.film.nodes.length;
  const node = choice?.type === "moment" ? choice.node + by : by > 0 ? 0 : count - 1;
  if (node < 0 || node >= count) return;
  const timeUs = chosenOr(stage, middle);
  const { layout } = stage.painting();
  const top = layout.top[node] ?? 0;
  const room = layout.height - 90;
  if (top < view.scroll) view.scroll = top;
  if (top + (layout.high[node] ?? 0) > view.scroll + room) {
    view.scroll = top + (layout.high[node] ?? 0) - room;
  }
  stage.choose({ type: "moment", node, timeUs }, false);
}
