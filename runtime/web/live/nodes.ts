/** The servers: what each is at the moment, and what can be done to it. */
import type { Deed } from "../../../sim/live/deed.ts";
import { NO_TROUBLE, type Trouble } from "../../../sim/live/marks.ts";
import { button, element } from "../picture/element.ts";
import { nameOf } from "../picture/paint.ts";
import { lengthText } from "../picture/scene.ts";
import { type Live, type Now, type Part, setText } from "./live.ts";
import { type Member, serverAt } from "./state.ts";

/** A menu that does something: what it says, and the deed. */
type Choices = readonly (readonly [string, (machine: string) => Deed])[];

const drift =
  (percent: number) =>
  (machine: string): Deed => ({ type: "clock_drift", machine, millionths: percent * 10_000 });
const step =
  (seconds: number) =>
  (machine: string): Deed => ({ type: "clock_step", machine, us: seconds * 1_000_000 });
const slow =
  (times: number) =>
  (machine: string): Deed => ({ type: "slow_disk", machine, times });

const CLOCKS: Choices = [
  ["4 % fast", drift(4)],
  ["4 % slow", drift(-4)],
  ["50 % fast", drift(50)],
  ["50 % slow", drift(-50)],
  ["right rate", drift(0)],
  ["step 10 s ahead", step(10)],
  ["step 10 s back", step(-10)],
  ["step 1 h ahead", step(3600)],
  ["stand still", (machine) => ({ type: "clock_freeze", machine })],
  ["go on", (machine) => ({ type: "clock_thaw", machine })],
];

const DISKS: Choices = [
  ["10 times slower", slow(10)],
  ["100 times slower", slow(100)],
  ["1000 times slower", slow(1000)],
  ["fail the next sync", (machine) => ({ type: "failing_sync", machine })],
  ["full", (machine) => ({ type: "full_disk", machine })],
  ["mended", (machine) => ({ type: "mend_disk", machine })],
];

/** `names` are the servers, in the order of their lanes. */
export function nodesPart(live: Live, names: readonly string[]): Part {
  const cards = names.map((name, node) => cardOf(live, name, node));
  return {
    root: element("div", { class: "nodes" }, ...cards.map(({ root }) => root)),
    refresh: (now) => {
      for (const card of cards) card.refresh(now);
    },
  };
}

function cardOf(live: Live, name: string, node: number): Part {
  const status = element("span", { class: "status" });
  const roles = element("span", { class: "roles" });
  const clock = element("span", {
    class: "soft clock",
    title: `How far the wall clock of ${name} is ahead`,
  });
  let state = serverAt(NOTHING, node, 0);
  const power = button("Power off", `${name} loses power`, () =>
    live.deed({ type: "crash", machine: name, power: true }),
  );
  const crash = button("Crash", `Crash ${name}`, () => {
    const isDown = state.status === "down";
    live.deed(
      isDown ? { type: "start", machine: name } : { type: "crash", machine: name, power: false },
    );
  });
  const pause = button("Pause", `Pause ${name}`, () => {
    const type = state.status === "paused" ? "resume" : "pause";
    live.deed({ type, machine: name });
  });
  const clocks = menuOf(live, name, "clock", CLOCKS);
  const disks = menuOf(live, name, "disk", DISKS);
  const root = element(
    "section",
    { class: "node", "aria-label": name },
    element("div", { class: "head" }, element("b", {}, name), status, roles, clock),
    element("div", { class: "acts" }, crash, power, pause, clocks.root, disks.root),
  );
  const refresh = (now: Now): void => {
    state = serverAt(now.film, node, now.atUs);
    root.dataset["status"] = state.status;
    setText(status, STATUS_SIGNS[state.status]);
    const isDown = state.status === "down";
    const known = state.members.map((one) => memberText(one, !isDown)).join(", ");
    const text = known === "" ? "no replica" : isDown ? `was ${known}` : known;
    setText(roles, text);
    if (roles.title !== text) roles.title = text;
    setText(clock, `${state.offsetUs < 0 ? "−" : "+"}${lengthText(Math.abs(state.offsetUs))}`);
    relabel(crash, isDown ? "Start" : "Crash", `${isDown ? "Start" : "Crash"} ${name}`);
    const paused = state.status === "paused";
    relabel(pause, paused ? "Go on" : "Pause", paused ? `Let ${name} go on` : `Pause ${name}`);
    power.disabled = isDown;
    pause.disabled = isDown;
    const trouble = now.troubles.machines.get(name) ?? NO_TROUBLE;
    clocks.say(clockText(trouble));
    disks.say(diskText(trouble));
  };
  return { root, refresh };
}

const STATUS_SIGNS = {
  up: "● up",
  paused: "‖ paused",
  down: "✕ down",
  broken: "⚠ broken",
} as const;

/** A server of which nothing is known yet. */
const NOTHING = {
  statuses: { timeUs: [], node: [], status: [] },
  clocks: { timeUs: [], node: [], offsetUs: [] },
  states: { timeUs: [], node: [], group: [] },
} as unknown as Parameters<typeof serverAt>[0];

function memberText({ group, role, term, commit, applied, lease }: Member, isUp: boolean): string {
  const what = role === "leader" && lease && isUp ? "leader, lease" : role.replace("_", "-");
  const lag = applied < commit ? `, applied ${applied}` : "";
  return `${nameOf(group)} ${what}, t${term}, index ${commit}${lag}`;
}

function clockText({ millionths, frozen }: Trouble): string {
  if (frozen) return "stands still";
  if (millionths === 0) return "clock…";
  return `${Math.abs(millionths) / 10_000} % ${millionths < 0 ? "slow" : "fast"}`;
}

const diskText = ({ slowdown, full }: Trouble): string =>
  full ? "disk full" : slowdown > 1 ? `${slowdown} × slow` : "disk…";

function relabel(one: HTMLButtonElement, text: string, label: string): void {
  setText(one, text);
  if (one.title === label) return;
  one.title = label;
  one.setAttribute("aria-label", label);
}

/** Says how it is, and does what is chosen. */
function menuOf(
  live: Live,
  name: string,
  what: string,
  choices: Choices,
): { root: HTMLSelectElement; say: (text: string) => void } {
  const head = element("option", { value: "" }, `${what}…`);
  const rest = choices.map(([text], i) => element("option", { value: String(i) }, text));
  const root = element(
    "select",
    { "aria-label": `${what} of ${name}`, "data-what": what },
    head,
    ...rest,
  );
  root.addEventListener("change", () => {
    const chosen = choices[Number(root.value)];
    const isChosen = root.value !== "";
    root.value = "";
    if (isChosen && chosen !== undefined) live.deed(chosen[1](name));
  });
  const say = (text: string): void => {
    setText(head, text);
    root.classList.toggle("troubled", !text.endsWith("…"));
  };
  return { root, say };
}
