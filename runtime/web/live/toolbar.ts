/** The top of the page: time and how fast it passes. */
import { button, element } from "../picture/element.ts";
import { clockText } from "../picture/scene.ts";
import { type Live, type Part, setText } from "./live.ts";

/** Virtual seconds in a second. */
export const SPEEDS: readonly number[] = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 20, Infinity];
export const FIRST_SPEED = 0.5;

export function timePart(live: Live): Part {
  const play = button("▶", "Play (space)", () => live.toggle());
  play.id = "play";
  const back = button("◂", "Back by a message (,)", () => live.step(-1));
  const on = button("▸", "On by an event (.)", () => live.step(1));
  const edge = button("now ⇥", "To the latest moment (l)", () => live.toEdge());
  const speed = element(
    "select",
    { "aria-label": "Speed ([ and ])", title: "Speed ([ and ])", id: "speed" },
    ...SPEEDS.map((one, i) => element("option", { value: String(i) }, speedText(one))),
  );
  speed.addEventListener("change", () => live.speed(SPEEDS[Number(speed.value)] ?? FIRST_SPEED));
  const slider = element("input", {
    type: "range",
    min: "0",
    step: "1000",
    "aria-label": "Moment",
  });
  slider.addEventListener("input", () => live.goTo(Number(slider.value)));
  const time = element("output", { id: "time" });
  const root = element("div", { class: "time" }, play, back, on, speed, slider, time, edge);
  return {
    root,
    refresh: (now) => {
      setText(play, now.running ? "❚❚" : "▶");
      const label = now.running ? "Pause (space)" : "Play (space)";
      if (play.title !== label) {
        play.title = label;
        play.setAttribute("aria-label", label);
      }
      speed.value = String(SPEEDS.indexOf(now.perSecond));
      slider.max = String(Math.ceil(now.edgeUs / 1000) * 1000);
      slider.value = String(now.atUs);
      slider.setAttribute("aria-valuetext", clockText(now.atUs));
      setText(
        time,
        now.isPast ? `${clockText(now.atUs)} of ${clockText(now.edgeUs)}` : clockText(now.atUs),
      );
      root.classList.toggle("past", now.isPast);
      edge.disabled = !now.isPast;
    },
  };
}

const speedText = (perSecond: number): string => {
  if (perSecond === Infinity) return "as fast as it goes";
  return perSecond < 1
    ? `${1 / perSecond} × slower`
    : perSecond === 1
      ? "real time"
      : `${perSecond} × faster`;
};
