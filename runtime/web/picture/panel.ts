/** The side of the page: the verdict, what is chosen, the story, filters, the legend. */
import { nameOf } from "./paint.ts";
import { detailsOf } from "./details.ts";
import { button, element, facts } from "./element.ts";
import { legendOf } from "./legend.ts";
import { clockText, type Scene } from "./scene.ts";
import type { Match } from "./find.ts";
import { ALL, type Choice, type View } from "./view.ts";

export interface Panel {
  readonly root: HTMLElement;
  /** Shows what is chosen now. */
  choose(): void;
  /** Shows the story around the window, or what a search has found. */
  tell(matches: readonly Match[]): void;
}

/** What the panel asks of the page. */
export interface Wishes {
  choose(choice: Choice): void;
  redraw(): void;
  toViolation(): void;
}

/** Lines of the story that are listed at a time. */
const MOST_LINES = 40;

/** What is chosen, and the story: for every page that shows a film. */
export interface Words extends Omit<Panel, "root"> {
  readonly details: HTMLElement;
  readonly story: HTMLElement;
}

export function panelOf(scene: Scene, view: View, wishes: Wishes): Panel {
  const { details, story, choose, tell } = wordsOf(() => scene, view, wishes);
  const root = element(
    "aside",
    { "aria-label": "Details, story and filters" },
    verdict(scene, wishes),
    details,
    story,
    filters(scene, view, wishes),
    legendOf(),
  );
  return { root, choose, tell };
}

/** `scene` is asked each time: it may change. */
export function wordsOf(scene: () => Scene, view: View, wishes: Pick<Wishes, "choose">): Words {
  const details = element("section", {
    id: "details",
    "aria-live": "polite",
    "aria-label": "Details",
  });
  const list = element("ul", { id: "story" });
  const heading = element("h2", {}, "Story");
  const choose = (): void => {
    const hint = "Click anything, or a moment of a lane, to see what is known of it.";
    if (view.choice === undefined) details.replaceChildren(element("p", { class: "soft" }, hint));
    else details.replaceChildren(...detailsOf(scene(), view.choice));
  };
  const tell = (matches: readonly Match[]): void => {
    const searching = view.search.trim() !== "";
    heading.textContent = searching ? `Found: ${matches.length}` : "Story";
    const all = searching ? matches : storyOf(scene());
    const middle = (view.beginUs + view.endUs) / 2;
    let at = all.findIndex(({ timeUs }) => timeUs >= view.beginUs);
    if (at < 0) at = all.length;
    const inside = all.filter(({ timeUs }) => timeUs >= view.beginUs && timeUs <= view.endUs);
    if (inside.length > MOST_LINES) at = all.findIndex(({ timeUs }) => timeUs >= middle);
    const first = Math.max(0, Math.min(at - 4, all.length - MOST_LINES));
    list.replaceChildren(
      ...all.slice(first, first + MOST_LINES).map((one) => item(one, view, wishes)),
    );
  };
  choose();
  return { details, story: element("section", {}, heading, list), choose, tell };
}

const storyOf = ({ film }: Scene): Match[] =>
  film.lines.map(({ timeUs, text }, index) => ({ timeUs, text, choice: { type: "line", index } }));

function item(
  { timeUs, text, choice }: Match,
  view: View,
  wishes: Pick<Wishes, "choose">,
): HTMLElement {
  const time = element("time", {}, clockText(timeUs, 1000));
  const one = element("button", { type: "button" }, time, text);
  const { choice: now } = view;
  if (now?.type === choice.type && "index" in now && "index" in choice) {
    one.setAttribute("aria-current", String(now.index === choice.index));
  }
  one.addEventListener("click", () => wishes.choose(choice));
  return element("li", {}, one);
}

function verdict({ film }: Scene, wishes: Wishes): HTMLElement {
  const { violation, leftOut } = film;
  const parts: Node[] = [];
  if (violation === undefined) {
    parts.push(element("h2", {}, "No check was violated"));
  } else {
    const names = violation.nodes.map((node) => film.nodes[node]?.name ?? "").join(", ");
    parts.push(
      element("h2", { class: "bad" }, `Violated: ${violation.check}`),
      element("p", {}, violation.text),
      facts([
        ["at", clockText(violation.timeUs, 1)],
        ["shows at", names === "" ? "no single node" : names],
      ]),
      button("Go to it (v)", "Go to the violation", () => wishes.toViolation()),
    );
  }
  const rows = Object.entries(leftOut).filter(([, count]) => count > 0);
  for (const [what, count] of rows) {
    parts.push(element("p", { class: "bad" }, `The oldest ${count} ${what} were left out.`));
  }
  return element("section", { "aria-label": "Verdict" }, ...parts);
}

export function filters(scene: Scene, view: View, wishes: Pick<Wishes, "redraw">): HTMLElement {
  const types = scene.types.map(({ word, name, count }) => {
    const box = element("input", { type: "checkbox", "data-word": String(word) });
    box.checked = !view.hidden.has(word);
    box.addEventListener("change", () => {
      if (box.checked) view.hidden.delete(word);
      else view.hidden.add(word);
      wishes.redraw();
    });
    return element("label", {}, box, `${name} `, element("span", { class: "soft" }, String(count)));
  });
  const every = (shown: boolean): void => {
    for (const { word } of scene.types) {
      if (shown) view.hidden.delete(word);
      else view.hidden.add(word);
    }
    for (const label of types) {
      const [box] = label.getElementsByTagName("input");
      if (box !== undefined) box.checked = shown;
    }
    wishes.redraw();
  };
  const past = element("input", { type: "checkbox" });
  past.checked = view.pastOnly;
  past.addEventListener("change", () => {
    view.pastOnly = past.checked;
    wishes.redraw();
  });
  return element(
    "details",
    { id: "filters", open: "" },
    element("summary", {}, "Messages shown"),
    ...(scene.film.violation === undefined
      ? []
      : [element("label", {}, past, "only the past of the violation")]),
    button("all", "Show all types of messages", () => every(true)),
    " ",
    button("none", "Show no messages", () => every(false)),
    ...types,
  );
}

/** Menus of groups and of nodes. */
export function menus(scene: Scene, view: View, redraw: () => void): HTMLElement[] {
  const menu = (
    label: string,
    options: readonly (readonly [number, string])[],
    take: (value: number) => void,
    now: number,
  ): HTMLElement => {
    const all = element("option", { value: String(ALL) }, `all ${label}s`);
    const rest = options.map(([value, text]) => element("option", { value: String(value) }, text));
    const made = element("select", { "aria-label": `Show one ${label}`, id: label }, all, ...rest);
    made.value = String(now);
    made.addEventListener("change", () => {
      take(Number(made.value));
      redraw();
    });
    return made;
  };
  const groups = scene.groups.map(
    (group) =>
      [group, group === 0 ? "placement driver" : `region ${group} (${nameOf(group)})`] as const,
  );
  const nodes = scene.film.nodes.map(({ name }, node) => [node, name] as const);
  return [
    menu("group", groups, (value) => (view.group = value), view.group),
    menu("node", nodes, (value) => (view.node = value), view.node),
  ];
}
