/** The links between all nodes, from each row to each column, to be cut and mended. */
import type { NamedLink } from "../../../sim/faults/targets.ts";
import { linkName } from "../../../sim/live/marks.ts";
import { button, element } from "../picture/element.ts";
import { type Live, type Part, setText } from "./live.ts";

export function linksPart(live: Live, names: readonly string[]): Part {
  const both = element("input", { type: "checkbox", id: "both" });
  both.checked = true;
  let cuts: ReadonlySet<string> = new Set();
  const isCut = (link: NamedLink): boolean => cuts.has(linkName(link));
  const cells: { readonly link: NamedLink; readonly cell: HTMLButtonElement }[] = [];
  const change = (links: readonly NamedLink[], cut: boolean): void => {
    const other = links.filter((link) => isCut(link) !== cut);
    if (other.length > 0) live.deed({ type: cut ? "cut" : "mend", links: other });
  };
  const cellOf = (from: string, to: string): HTMLElement => {
    const link: NamedLink = [from, to];
    const cell = button("·", "", () => {
      const links: NamedLink[] = both.checked ? [link, [to, from]] : [link];
      change(links, !isCut(link));
    });
    cells.push({ link, cell });
    return element("td", {}, cell);
  };
  const alone = names.map((name) => {
    const links = names
      .filter((other) => other !== name)
      .flatMap((other): NamedLink[] => [
        [name, other],
        [other, name],
      ]);
    const isAlone = (): boolean => links.every(isCut);
    const one = button("isolate", `Isolate ${name}`, () => change(links, !isAlone()));
    return { name, one, isAlone };
  });
  const head = ["from ↓ to →", ...names.map(short), ""].map((text) =>
    element("th", { scope: "col" }, text),
  );
  const rows = names.map((from, i) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, from),
      ...names.map((to) => (from === to ? element("td", {}) : cellOf(from, to))),
      element("td", {}, alone[i]?.one ?? ""),
    ),
  );
  const root = element(
    "div",
    {},
    element("table", { class: "links" }, element("tr", {}, ...head), ...rows),
    element("label", {}, both, "both directions at once"),
  );
  return {
    root,
    refresh: ({ troubles }) => {
      if (troubles.cuts === cuts) return;
      ({ cuts } = troubles);
      for (const { link, cell } of cells) {
        const [from, to] = link;
        const cut = isCut(link);
        setText(cell, cut ? "✕" : "·");
        cell.className = cut ? "cut" : "";
        const label = `${cut ? "Mend" : "Cut"} ${from} → ${to}`;
        cell.title = label;
        cell.setAttribute("aria-label", label);
      }
      for (const { name, one, isAlone } of alone) {
        setText(one, isAlone() ? "rejoin" : "isolate");
        one.setAttribute("aria-label", `${isAlone() ? "Rejoin" : "Isolate"} ${name}`);
      }
    },
  };
}

/** A name as the head of a narrow column. */
const short = (name: string): string =>
  name.replace("store ", "s").replace("pd ", "p").replace("client", "c").replace("console", "con");
