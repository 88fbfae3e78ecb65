/** The page of the playground as a whole: the parts around the stage, and who tells whom. */
import type { NamedLink } from "../../../sim/faults/targets.ts";
import type { Deed } from "../../../sim/live/deed.ts";
import { linkName } from "../../../sim/live/marks.ts";
import { button, element } from "../picture/element.ts";
import { helpDialog } from "../picture/keys.ts";
import { legendOf } from "../picture/legend.ts";
import { filters, menus, wordsOf } from "../picture/panel.ts";
import { clockText } from "../picture/scene.ts";
import { themeButton } from "../picture/theme.ts";
import { ALL } from "../picture/view.ts";
import { addressOf, MOST_ADDRESS } from "./address.ts";
import { builder } from "./builder.ts";
import { consolePart } from "./console.ts";
import { deedsPart } from "./deeds.ts";
import type { Engine } from "./engine.ts";
import { LIVE_KEYS, onLiveKey } from "./keys.ts";
import { linksPart } from "./links.ts";
import type { Live, Now, Part } from "./live.ts";
import type { Picture, Reply } from "./messages.ts";
import { nodesPart } from "./nodes.ts";
import { proofPart } from "./proof.ts";
import { messageBeside, type Stage, stageOf } from "./stage.ts";
import { serverAt } from "./state.ts";
import { SPEEDS, timePart } from "./toolbar.ts";

/** Between two changes of the words on the page. */
const WORDS_MS = 120;
const ADDRESS_MS = 600;

export interface Desk {
  take(reply: Exclude<Reply, { type: "failed" }>): void;
  goTo(timeUs: number): void;
  say(text: string): void;
}

/** `scenarios` are the names of those that can be proved. */
export function deskOf(engine: Engine, first: Picture, scenarios: readonly string[]): Desk {
  let words: ReturnType<typeof setTimeout> | undefined;
  let names: readonly string[] = [];
  let parts: Part[] = [];
  let types = 0;
  /** The moment that the words are about. */
  let toldUs = -1;

  const notice = element("p", { id: "notice", role: "status", hidden: "" });
  const alarm = element("p", { id: "alarm", role: "alert", hidden: "" });
  let quiet: ReturnType<typeof setTimeout> | undefined;
  const say = (text: string, isBad = false): void => {
    notice.textContent = text;
    notice.className = isBad ? "bad" : "";
    notice.hidden = false;
    clearTimeout(quiet);
    quiet = setTimeout(() => (notice.hidden = true), 6000);
  };

  const live: Live = {
    deed(deed) {
      const { film } = stage.controls.scene;
      if (film.violation !== undefined && engine.head.isFollowing) {
        say("The run has ended with the violation. Go back to a moment before it to go on.", true);
        return;
      }
      const at = clockText(engine.atUs);
      const isNew = engine.deed(deed);
      if (isNew) say(`Another course begins at ${at}. The one you left is kept with the deeds.`);
      if (isNew) stage.moved();
    },
    toggle() {
      engine.run(!engine.head.isPlaying);
      if (engine.head.isPlaying && !engine.head.isFollowing) playBack();
      tell();
    },
    step(direction) {
      if (engine.head.isFollowing && direction === 1) engine.step();
      else live.goTo(messageBeside(stage.controls.scene, engine.atUs, direction));
    },
    speed(perSecond) {
      engine.speed(perSecond);
      tell();
    },
    goTo(timeUs) {
      engine.goTo(timeUs);
      stage.moved();
      tell();
    },
    toEdge() {
      engine.toEdge();
      stage.moved();
      tell();
    },
    begin(play, untilUs, isRunning) {
      engine.begin(play, untilUs, isRunning);
      stage.moved();
      tell();
    },
    play: () => engine.play(),
    prove: engine.prove,
    say,
  };

  /** Time passes in what is kept, up to its end; from there on the world goes on. */
  const playBack = (): void => {
    let last: number | undefined;
    const frame = (nowMs: number): void => {
      const { head } = engine;
      if (!head.isPlaying || head.isFollowing) return;
      const byUs = Math.min(100, nowMs - (last ?? nowMs)) * 1000 * head.perSecond;
      last = nowMs;
      const next = engine.atUs + (byUs > 0 ? byUs : 0);
      if (next >= engine.edgeUs) {
        live.toEdge();
        return;
      }
      engine.goTo(next);
      stage.follow();
      tell();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  };

  const stage: Stage = stageOf(engine, first, {
    chosen: () => {
      field.value = stage.view.search;
      about.choose();
      tell();
    },
    moved: () => tell(),
    toSearch: () => field.focus(),
    help: () => help.showModal(),
  });
  const about = wordsOf(() => stage.controls.scene, stage.view, {
    choose: (choice) => stage.controls.choose(choice, true),
  });
  const field = element("input", {
    type: "search",
    id: "search",
    placeholder: "Search (/)",
    "aria-label": "Search messages, calls, faults and the story",
  });
  field.addEventListener("input", () => stage.seek(field.value));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") stage.controls.jump(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") stage.surface.canvas.focus();
    else return;
    event.preventDefault();
  });

  const help = helpDialog(LIVE_KEYS);
  const building = builder(live);
  const time = timePart(live);
  const typing = consolePart(live);
  const done = deedsPart(live);
  const proof = proofPart(live, scenarios);
  const nodes = element("div");
  const links = element("div");
  const shown = element("div");
  const menu = element("span", { class: "menus" });
  const figures = element("span", { class: "soft", id: "figures" });

  /** Makes what depends on who is there. */
  const furnish = ({ film, cluster }: Now): void => {
    const present = film.nodes.map(({ name }) => name);
    if (present.join() === names.join()) return;
    names = present;
    const servers = film.nodes.filter(({ kind }) => kind !== "client").map(({ name }) => name);
    const cards = nodesPart(live, servers);
    const matrix = linksPart(live, names);
    nodes.replaceChildren(cards.root);
    links.replaceChildren(matrix.root);
    parts = [time, cards, matrix, typing, done];
    title.textContent = `Rutile, live: ${cluster.stores} stores, ${cluster.members} pd, seed ${cluster.seed}`;
    stage.view.group = ALL;
    stage.view.node = ALL;
    types = 0;
  };
  /** Menus and filters know the groups and the types of messages that there were so far. */
  const sift = (): void => {
    const { scene } = stage.controls;
    const count = scene.types.length * 1000 + scene.groups.length;
    const isUsed = shown.contains(document.activeElement) || menu.contains(document.activeElement);
    if (count <= types || isUsed) return;
    types = count;
    menu.replaceChildren(...menus(scene, stage.view, stage.surface.draw));
    shown.replaceChildren(filters(scene, stage.view, { redraw: stage.surface.draw }));
  };

  const tellNow = (): void => {
    words = undefined;
    const now = engine.now();
    if (now === undefined) return;
    furnish(now);
    sift();
    for (const part of parts) part.refresh(now);
    figures.textContent = `${now.events.toLocaleString("en")} events, trace ${now.trace}`;
    about.tell(stage.matches());
    about.details.setAttribute("aria-live", now.running ? "off" : "polite");
    if (stage.view.choice?.type === "moment" && now.atUs !== toldUs) about.choose();
    toldUs = now.atUs;
    const { violation } = now.film;
    alarm.hidden = violation === undefined;
    if (violation !== undefined) {
      alarm.textContent = `Violated: ${violation.check}. ${violation.text} (v goes there)`;
    }
    const until = now.replayUntilUs;
    document.body.classList.toggle("replaying", until !== undefined);
    if (until !== undefined && until > 5_000_000) say(`Playing again up to ${clockText(until)}…`);
    keepAddress(now);
  };
  const tell = (): void => {
    words ??= setTimeout(tellNow, WORDS_MS);
  };

  const keepAddress = addressKeeper(live);
  const handles = {
    live,
    get controls() {
      return stage.controls;
    },
    faster: (by: 1 | -1) => {
      const at = SPEEDS.indexOf(engine.head.perSecond) + by;
      live.speed(SPEEDS[at] ?? engine.head.perSecond);
    },
    chooseLane: (which: { readonly by: 1 | -1 } | { readonly nth: number }) => {
      const { choice } = stage.view;
      const now = choice?.type === "moment" ? choice.node : undefined;
      if ("nth" in which) stage.chooseLane(which.nth - 1);
      else
        stage.chooseLane(
          now === undefined ? (which.by > 0 ? 0 : names.length - 1) : now + which.by,
        );
    },
    hit: (how: "crash" | "power" | "pause" | "isolate") => {
      const now = engine.now();
      const { choice } = stage.view;
      if (now === undefined || choice?.type !== "moment") {
        say("Choose a server first: 1 to 9, or the arrows up and down.", true);
        return;
      }
      const deed = deedOf(how, now, choice.node);
      if (deed !== undefined) live.deed(deed);
    },
    toConsole: () => typing.focus(),
    build: building.open,
  };
  document.addEventListener("keydown", (event) => onLiveKey(handles, event));
  addEventListener("hashchange", () => location.reload());

  const title = element("h1", {}, "Rutile, live");
  const section = (name: string, isOpen: boolean, ...content: Node[]): HTMLElement =>
    element(
      "details",
      { class: "part", ...(isOpen ? { open: "" } : {}) },
      element("summary", {}, name),
      ...content,
    );
  document.body.replaceChildren(
    element(
      "header",
      {},
      title,
      figures,
      element("span", { class: "gap" }),
      field,
      menu,
      button("Build…", "Build a cluster (b)", building.open),
      button("Mend all", "End every fault (h)", () => live.deed({ type: "heal" })),
      themeButton(stage.surface.recolour),
      button("?", "Keys and help", () => help.showModal()),
      time.root,
      alarm,
    ),
    stage.surface.root,
    element(
      "aside",
      { "aria-label": "Nodes, links, console, deeds and details" },
      section("Servers", true, nodes),
      section("Keys and values", true, typing.root),
      section("Links", true, links),
      section("What was done", true, done.root),
      about.details,
      about.story,
      section("Messages shown", false, shown),
      section("The same run in Node", false, proof.root),
      legendOf(),
    ),
    notice,
    help,
    building.dialog,
    done.dialog,
  );
  stage.surface.recolour();
  stage.surface.canvas.focus();
  tellNow();

  return {
    goTo: (timeUs) => live.goTo(timeUs),
    say: (text) => say(text, true),
    take(reply) {
      if (reply.type === "proved") {
        proof.tell(reply);
        return;
      }
      const picture = engine.take(reply);
      if (picture !== undefined) {
        const beganMs = performance.now();
        stage.show(picture);
        engine.taken(performance.now() - beganMs);
      }
      tell();
    },
  };
}

/** What is done to a server at the moment that is looked at, or taken back. */
function deedOf(
  how: "crash" | "power" | "pause" | "isolate",
  { film, atUs, troubles }: Now,
  node: number,
): Deed | undefined {
  const machine = film.nodes[node]?.name ?? "";
  if (how === "isolate") {
    const links = film.nodes
      .filter(({ name }) => name !== machine)
      .flatMap(({ name }): NamedLink[] => [
        [machine, name],
        [name, machine],
      ]);
    const whole = links.filter((link) => !troubles.cuts.has(linkName(link)));
    return whole.length > 0 ? { type: "cut", links: whole } : { type: "mend", links };
  }
  if (film.nodes[node]?.kind === "client") return undefined;
  const { status } = serverAt(film, node, atUs);
  if (how === "pause") return { type: status === "paused" ? "resume" : "pause", machine };
  return status === "down"
    ? { type: "start", machine }
    : { type: "crash", machine, power: how === "power" };
}

/** Keeps the page's address such that whoever opens it sees this moment. */
function addressKeeper(live: Live): (now: Now) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let kept = "";
  return ({ atUs, running, actions, cluster }) => {
    const state = `${running ? "" : atUs} ${actions.length} ${cluster.seed}`;
    if (state === kept) return;
    kept = state;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const address = addressOf(live.play(), atUs);
      if (address.length < MOST_ADDRESS) history.replaceState(null, "", `#${address}`);
    }, ADDRESS_MS);
  };
}
