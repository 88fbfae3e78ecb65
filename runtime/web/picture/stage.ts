/** Puts the page together and keeps canvas, panel and address in step with the view. */
import type { Film } from "../../../sim/film/film.ts";
import { button, element } from "./element.ts";
import { find, type Match, search, tipOf } from "./find.ts";
import { helpDialog, onKey } from "./keys.ts";
import { layoutOf } from "./lanes.ts";
import { choiceTime, paint, type Painting } from "./paint.ts";
import { menus, panelOf } from "./panel.ts";
import { overviewOf, penOf } from "./pen.ts";
import { listen } from "./pointer.ts";
import type { Controls } from "./controls.ts";
import { sceneOf } from "./scene.ts";
import { addressOf, type Choice, goTo, show, takeAddress, viewOf } from "./view.ts";

export function startPage(film: Film): void {
  const scene = sceneOf(film);
  const view = viewOf(film);
  takeAddress(view, film, location.hash.slice(1));
  const root = document.documentElement;
  const overview = overviewOf(scene);
  let pen = penOf(root, overview);
  let matches: Match[] = search(scene, view.search);
  let scheduled = false;
  let telling: ReturnType<typeof setTimeout> | undefined;

  const canvas = element("canvas", {
    tabindex: "0",
    role: "application",
    "aria-label":
      "Lanes of nodes with messages between them over time. Arrows move, plus and minus zoom, " +
      "question mark shows all keys; the story beside it lists the same in words.",
  });
  const tip = element("div", { id: "tip", hidden: "" });
  const stageElement = element("main", { id: "stage" }, canvas, tip);
  const context = canvas.getContext("2d", { alpha: false });
  if (context === null) throw new Error("this browser draws no canvas");

  const painting = (): Painting => {
    const { clientWidth: width, clientHeight: height } = stageElement;
    return { context, pen, scene, view, layout: layoutOf(film, view, width, height) };
  };
  const draw = (): void => {
    scheduled = false;
    const { clientWidth: width, clientHeight: height } = stageElement;
    const ratio = devicePixelRatio;
    if (
      canvas.width !== Math.round(width * ratio) ||
      canvas.height !== Math.round(height * ratio)
    ) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    canvas.dataset["inSight"] = String(paint(painting()));
  };
  const redraw = (): void => {
    if (!scheduled) requestAnimationFrame(draw);
    scheduled = true;
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
    const faults = film.faults.map(({ timeUs }, index): Pick<Match, "timeUs" | "choice"> => ({
      timeUs,
      choice: { type: "fault", index },
    }));
    const all = view.search.trim() === "" ? faults : matches;
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
    // Past the last one the first is next.
    const next = all[at < 0 ? near : at + direction] ?? all.at(direction === 1 ? 0 : -1);
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

  const repaint = (): void => {
    pen = penOf(root, overview);
    redraw();
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = (): void => {
    root.dataset["theme"] = root.dataset["theme"] === "dark" ? "light" : "dark";
    repaint();
  };
  const follow = (): void => {
    root.dataset["theme"] = dark.matches ? "dark" : "light";
    repaint();
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
    painting,
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
      button("◐", "Light or dark", theme),
      button("?", "Keys and help", () => stage.help()),
    ),
    stageElement,
    panel.root,
    dialog,
  );
  follow();
  dark.addEventListener("change", follow);
  new ResizeObserver(redraw).observe(stageElement);
  listen(stage, (x, y) => {
    const found = x < 0 ? undefined : find(painting(), x, y);
    tip.hidden = found === undefined || found.type === "moment";
    if (found === undefined || tip.hidden) return;
    tip.textContent = tipOf(painting(), found);
    tip.style.left = `${Math.max(0, Math.min(x + 14, canvas.clientWidth - tip.offsetWidth))}px`;
    tip.style.top = `${Math.max(0, Math.min(y + 14, canvas.clientHeight - tip.offsetHeight))}px`;
  });
  document.addEventListener("keydown", (event) => onKey(stage, event));
  addEventListener("hashchange", () => {
    takeAddress(view, film, location.hash.slice(1));
    panel.choose();
    redraw();
  });
  canvas.focus();
}
