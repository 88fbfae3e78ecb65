/** Puts the page together and keeps canvas, panel and address in step with the view. */
import type { Film } from "../../../sim/film/film.ts";
import { button, element } from "./element.ts";
import { faultsOf, type Match, nextOf, search } from "./find.ts";
import { helpDialog, onKey } from "./keys.ts";
import { choiceTime } from "./paint.ts";
import { menus, panelOf } from "./panel.ts";
import { overviewOf } from "./pen.ts";
import { listen } from "./pointer.ts";
import type { Controls } from "./controls.ts";
import { sceneOf } from "./scene.ts";
import { surfaceOf } from "./surface.ts";
import { themeButton } from "./theme.ts";
import { addressOf, type Choice, goTo, show, takeAddress, viewOf } from "./view.ts";

export function startPage(film: Film): void {
  const scene = sceneOf(film);
  const view = viewOf(film);
  takeAddress(view, film, location.hash.slice(1));
  const overview = overviewOf(scene);
  const surface = surfaceOf(
    () => scene,
    view,
    () => overview,
  );
  const { canvas } = surface;
  let matches: Match[] = search(scene, view.search);
  let telling: ReturnType<typeof setTimeout> | undefined;

  const redraw = (): void => {
    surface.draw();
    // The words beside the picture and the address follow when it has come to rest.
    clearTimeout(telling);
    telling = setTimeout(() => {
      panel.tell(matches);
      history.replaceState(null, "", `#${addressOf(view)}`);
    }, 120);
  };
  const choose = (choice: Choice | undefined, move: boolean): void => {
    view.choice = choice;
    const timeUs = choice === undefined ? undefined : choiceTime(scene, choice);
    if (move && timeUs !== undefined) goTo(view, film, timeUs, film.endUs / 8);
    panel.choose();
    redraw();
  };
  const toViolation = (): void => {
    const { violation } = film;
    if (violation === undefined) return;
    const [node] = violation.nodes;
    const length = Math.min(view.endUs - view.beginUs, 400_000);
    show(view, film, violation.timeUs - length * 0.85, violation.timeUs + length * 0.15);
    choose(
      node === undefined ? undefined : { type: "moment", node, timeUs: violation.timeUs },
      false,
    );
  };
  const jump = (direction: 1 | -1): void => {
    const all = view.search.trim() === "" ? faultsOf(scene) : matches;
    const next = nextOf(all, view, direction);
    if (next !== undefined) choose(next.choice, true);
  };

  const field = element("input", {
    type: "search",
    id: "search",
    placeholder: "Search (/)",
    "aria-label": "Search messages, calls, faults and the story",
  });
  field.value = view.search;
  field.addEventListener("input", () => {
    view.search = field.value;
    matches = search(scene, view.search);
    redraw();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") jump(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") canvas.focus();
    else return;
    event.preventDefault();
  });
  const clear = (): void => {
    field.value = "";
    view.search = "";
    matches = [];
    choose(undefined, false);
  };

  const dialog = helpDialog();
  const panel = panelOf(scene, view, {
    choose: (choice) => choose(choice, true),
    redraw,
    toViolation,
  });
  const stage: Controls = {
    scene,
    view,
    canvas,
    painting: surface.painting,
    redraw,
    choose,
    jump,
    toViolation,
    toSearch: () => field.focus(),
    clear,
    help: () => dialog.showModal(),
  };
  const bad = film.violation !== undefined;
  document.body.append(
    element(
      "header",
      {},
      element("h1", {}, `${film.scenario}, seed ${film.seed}`),
      element("span", { class: bad ? "verdict bad" : "verdict good" }, bad ? "violated" : "passed"),
      element("span", { class: "soft" }, `${film.events} events, trace ${film.trace}`),
      element("span", { class: "gap" }),
      field,
      ...menus(scene, view, redraw),
      themeButton(surface.recolour),
      button("?", "Keys and help", () => stage.help()),
    ),
    surface.root,
    panel.root,
    dialog,
  );
  panel.tell(matches);
  listen(stage, surface.hover);
  document.addEventListener("keydown", (event) => onKey(stage, event));
  addEventListener("hashchange", () => {
    takeAddress(view, film, location.hash.slice(1));
    panel.choose();
    redraw();
  });
  canvas.focus();
}
