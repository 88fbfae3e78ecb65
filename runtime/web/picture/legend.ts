/** What the signs of the picture mean, drawn as they are there. */
import { element } from "./element.ts";

const SIGNS: readonly (readonly [sign: string, text: string])[] = [
  ["M2 9h26m-6-4 6 4-6 4|raft", "replication; the line slopes from sending to arrival"],
  ["M2 9h26m-6-4 6 4-6 4|vote", "elections"],
  ["M2 9h26m-6-4 6 4-6 4|snapshot", "snapshots"],
  ["M2 9h26m-6-4 6 4-6 4|call", "calls and answers"],
  ["M2 9h5m4 0h5m4 0h5|raft", "late (dashed)"],
  ["M2 7h26M2 11h26|raft", "delivered several times (double)"],
  ["M2 9h14m-4-4 8 8m0-8-8 8|bad", "lost on its way"],
  ["M2 9h10m4-4 8 8m0-8-8 8m-2-10h12v12h-12z|bad", "came when no process was there"],
  ["M2 4h28v9H2z|raft|fill", "leader of a group: region and term"],
  ["M2 9h2m3 0h2m3 0h2m3 0h2m3 0h2|soft", "candidate"],
  ["M2 15 14 3M10 15 22 3M18 15 30 3|down", "down; upright strokes: stands still"],
  ["M2 9h26|fault", "how far a wall clock is off"],
  ["M9 4h12l-6 9z|fault|fill", "a fault strikes"],
  ["M2 6h26v6H2z|call|fill", "call that was answered"],
  ["M2 5h26v8H2z|vote", "answered with an error"],
  ["M28 5H2v8h26|bad", "never answered (open end)"],
  ["M16 2l8 7-8 7-8-7z|cone|fill", "the violation; lines of its colour are its causal past"],
];

export function legendOf(): HTMLElement {
  const rows = SIGNS.flatMap(([sign, text]) => {
    const [path = "", colour = "text", fill] = sign.split("|");
    return [drawing(path, colour, fill !== undefined), element("span", {}, text)];
  });
  const list = element("div", { class: "legend" }, ...rows);
  return element("details", {}, element("summary", {}, "Legend"), list);
}

function drawing(path: string, colour: string, filled: boolean): SVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("width", "32");
  svg.setAttribute("height", "18");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  line.setAttribute("stroke", `var(--${colour})`);
  line.setAttribute("stroke-width", "1.5");
  line.setAttribute("fill", filled ? `var(--${colour})` : "none");
  svg.append(line);
  return svg;
}
