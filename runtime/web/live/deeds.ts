/** What was done: to go to, to share, and the courses that were left. */
import { describeDeed } from "../../../sim/live/deed.ts";
import { readPlay, writePlay } from "../../../sim/live/play.ts";
import { button, element } from "../picture/element.ts";
import { clockText } from "../picture/scene.ts";
import { addressOf } from "./address.ts";
import type { Live, Now, Part } from "./live.ts";

/** Deeds that are listed: the latest. */
const MOST = 200;

export function deedsPart(live: Live): Part & { readonly dialog: HTMLElement } {
  const list = element("ul", { class: "deeds" });
  const courses = element("select", { "aria-label": "Courses that were left", hidden: "" });
  let kept: Now["courses"] = [];
  courses.addEventListener("change", () => {
    const chosen = kept[Number(courses.value)];
    if (courses.value !== "" && chosen !== undefined)
      live.begin(chosen.play, chosen.untilUs, false);
    courses.value = "";
  });
  let atUs = 0;
  const { dialog, open } = sharing(live, () => atUs);
  const root = element(
    "div",
    {},
    list,
    element(
      "div",
      { class: "acts" },
      button("Share…", "Share or load what was done", open),
      courses,
    ),
  );
  let shown: Now["actions"] | undefined;
  const refresh = (now: Now): void => {
    atUs = now.atUs;
    if (shown?.length !== now.actions.length || shown.at(-1)?.after !== now.actions.at(-1)?.after) {
      shown = now.actions;
      list.replaceChildren(...itemsOf(now, live));
      list.scrollTop = list.scrollHeight;
    }
    for (const item of list.children) {
      const time = Number((item as HTMLElement).dataset["at"]);
      item.classList.toggle("later", time > now.atUs);
    }
    if (kept === now.courses) return;
    kept = now.courses;
    courses.hidden = kept.length === 0;
    courses.replaceChildren(
      element("option", { value: "" }, `courses that were left: ${kept.length}`),
      ...kept.map(({ play: { cluster, actions }, untilUs }, i) =>
        element(
          "option",
          { value: String(i) },
          `seed ${cluster.seed}, ${actions.length} deeds, until ${clockText(untilUs)}`,
        ),
      ),
    );
  };
  return { root, refresh, dialog };
}

function itemsOf({ actions }: Now, live: Live): HTMLElement[] {
  if (actions.length === 0) {
    return [
      element(
        "li",
        { class: "soft", "data-at": "0" },
        "Nothing yet: all that goes wrong is your doing.",
      ),
    ];
  }
  return actions.slice(-MOST).map(({ atUs, deed }) => {
    const time = element("time", {}, clockText(atUs, 1000));
    const one = element("button", { type: "button" }, time, describeDeed(deed));
    one.addEventListener("click", () => live.goTo(atUs));
    return element("li", { "data-at": String(atUs) }, one);
  });
}

function sharing(live: Live, atUs: () => number): { dialog: HTMLElement; open: () => void } {
  const text = element("textarea", {
    rows: "10",
    spellcheck: "false",
    "aria-label": "The play as JSON",
  });
  const link = element("input", {
    type: "text",
    readonly: "",
    "aria-label": "Address of this moment",
  });
  const problem = element("p", { class: "bad", role: "alert" });
  const dialog = element("dialog", { "aria-label": "Share or load what was done" });
  const load = button("Play this", "Play what the text says", () => {
    const read = readPlay(text.value);
    if (!read.ok) {
      problem.textContent = read.problem;
      return;
    }
    dialog.close();
    live.begin(read.play, read.play.actions.at(-1)?.atUs ?? 0, true);
  });
  dialog.append(
    element("h2", {}, "Share or load what was done"),
    element(
      "p",
      {},
      "A cluster, its seed and the list of deeds are all of it: played again, everywhere, the same happens.",
    ),
    element("label", { class: "tall" }, "Address of this moment", link),
    element("label", { class: "tall" }, "The same as JSON, to keep or to change", text),
    problem,
    element(
      "div",
      { class: "acts" },
      load,
      button("Close", "Close", () => dialog.close()),
    ),
  );
  const open = (): void => {
    problem.textContent = "";
    text.value = JSON.stringify(JSON.parse(writePlay(live.play())), undefined, 1);
    link.value = `${location.href.split("#")[0] ?? ""}#${addressOf(live.play(), atUs())}`;
    dialog.showModal();
    link.select();
  };
  return { dialog, open };
}
