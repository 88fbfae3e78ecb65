/** What is known of what was chosen, and of the state of nodes at that moment. */
import { CALL_ENDS, ROLES, STATUSES } from "../../../sim/film/film.ts";
import { element, facts } from "./element.ts";
import { nameOf } from "./paint.ts";
import { clockText, FATES, firstAt, lengthText, type Scene } from "./scene.ts";
import type { Choice } from "./view.ts";

type Fact = readonly [string, string];

export function detailsOf(scene: Scene, choice: Choice): Node[] {
  const { film } = scene;
  switch (choice.type) {
    case "arrow":
      return arrowDetails(scene, choice.index);
    case "bar":
      return barDetails(scene, choice.index);
    case "fault": {
      const fault = film.faults[choice.index];
      if (fault === undefined) return [];
      return [
        element("h2", {}, `Fault: ${fault.type}`),
        element("p", {}, fault.text),
        facts([
          ["begins", clockText(fault.timeUs, 1)],
          ["lasts", fault.endUs > fault.timeUs ? lengthText(fault.endUs - fault.timeUs) : "–"],
        ]),
        ...fault.nodes.flatMap((node) => stateOf(scene, node, fault.timeUs)),
      ];
    }
    case "role": {
      const span = scene.roles[choice.index];
      if (span === undefined) return [];
      const name = film.nodes[span.node]?.name ?? "";
      return [
        element("h2", {}, `${name} is ${span.role.replace("_", "-")} of ${nameOf(span.group)}`),
        facts([
          ["term", String(span.term)],
          ["from", clockText(span.beginUs, 1)],
          ["for", lengthText(span.endUs - span.beginUs)],
        ]),
        ...stateOf(scene, span.node, span.endUs - 1),
      ];
    }
    case "line": {
      const line = film.lines[choice.index];
      if (line === undefined) return [];
      return [
        element("h2", {}, `${clockText(line.timeUs, 1)}, ${line.topic}`),
        element("p", {}, line.text),
      ];
    }
    default:
      return stateOf(scene, choice.node, choice.timeUs);
  }
}

function arrowDetails(scene: Scene, index: number): Node[] {
  const { film, arrows } = scene;
  const { messages, calls } = film;
  const row = arrows.row[index];
  if (row === undefined) return [];
  const name = (node: number | undefined): string => film.nodes[node ?? -1]?.name ?? "";
  const fate = FATES[arrows.fate[index] as number] ?? "arrived";
  const [begin, end] = [arrows.sentUs[index] as number, arrows.endUs[index] as number];
  const rows: Fact[] = [
    ["from", name(arrows.from[index])],
    ["to", name(arrows.to[index])],
    ["sent", clockText(begin, 1)],
    ["fate", FATE_TEXTS[fate]],
  ];
  if (fate !== "lost")
    rows.push(["arrives", `${clockText(end, 1)}, after ${lengthText(end - begin)}`]);
  const copies = messages.copyOf.filter((one) => one === row).length;
  if (copies > 0) rows.push(["copies", `delivered ${copies + 1} times`]);
  const group = messages.group[row] as number;
  if (group >= 0) rows.push(["group", nameOf(group)]);
  const term = messages.term[row] as number;
  if (term >= 0) rows.push(["term", String(term)]);
  if (film.violation !== undefined) {
    rows.push([
      "past",
      arrows.past[index] === 1 ? "may have led to the violation" : "no part in it",
    ]);
  }
  const call = messages.call[row] as number;
  const at = call === 0 ? -1 : firstAt(calls.id, call);
  if (at >= 0 && calls.id[at] === call) {
    rows.push(["call", `number ${call}: ${CALL_ENDS[calls.end[at] as number] ?? ""}`]);
    const note = film.words[calls.note[at] as number] ?? "";
    if (note !== "") rows.push(["answer", note]);
  }
  const to = arrows.to[index] as number;
  return [
    element("h2", {}, film.words[arrows.type[index] as number] ?? ""),
    facts(rows),
    ...stateOf(scene, arrows.from[index] as number, begin),
    ...stateOf(scene, to, end),
  ];
}

const FATE_TEXTS = {
  arrived: "arrived",
  late: "late",
  lost: "lost on its way",
  dropped: "came when no process was there",
  underway: "still on its way at the end",
} as const;

function barDetails(scene: Scene, index: number): Node[] {
  const bar = scene.bars[index];
  if (bar === undefined) return [];
  const { film } = scene;
  const rows: Fact[] = [
    ["client", film.nodes[bar.node]?.name ?? ""],
    ["begins", clockText(bar.beginUs, 1)],
    ["takes", lengthText(bar.endUs - bar.beginUs)],
    ["outcome", bar.end],
  ];
  if (bar.kind === "call") {
    const to = film.calls.to[bar.row] as number;
    const group = film.calls.group[bar.row] as number;
    rows.push(["asks", film.nodes[to]?.name ?? ""]);
    if (group >= 0) rows.push(["group", nameOf(group)]);
    const asked = stateOf(scene, to, bar.beginUs);
    return [element("h2", {}, `Call: ${bar.text}`), facts(rows), ...asked];
  }
  return [element("h2", {}, `Operation: ${bar.text}`), facts(rows)];
}

/** A node as it was at a moment: process, clock, and its members of groups. */
export function stateOf(scene: Scene, node: number, timeUs: number): Node[] {
  const { film } = scene;
  const one = film.nodes[node];
  if (one === undefined) return [];
  const title = element("h2", {}, `${one.name} at ${clockText(timeUs, 1)}`);
  if (one.kind === "client") {
    const open = scene.bars.filter(
      (bar) => bar.node === node && bar.beginUs <= timeUs && bar.endUs >= timeUs,
    );
    const rows = open.map((bar): Fact => [bar.kind, `${bar.text} (${bar.end})`]);
    return [title, rows.length === 0 ? element("p", {}, "waits for nothing") : facts(rows)];
  }
  const last = (times: readonly number[], nodes: readonly number[]): number => {
    for (let row = firstAt(times, timeUs + 1) - 1; row >= 0; row--) {
      if (nodes[row] === node) return row;
    }
    return -1;
  };
  const { statuses, clocks } = film;
  const status = STATUSES[statuses.status[last(statuses.timeUs, statuses.node)] ?? 2] ?? "down";
  const offset = clocks.offsetUs[last(clocks.timeUs, clocks.node)];
  const rows: Fact[] = [["process", status]];
  if (offset !== undefined) {
    const side = offset < 0 ? "behind" : "ahead";
    rows.push(["wall clock", `${lengthText(Math.abs(offset))} ${side}`]);
  }
  return [title, facts(rows), ...membersOf(scene, node, timeUs, status)];
}

function membersOf(scene: Scene, node: number, timeUs: number, status: string): Node[] {
  const { states } = scene.film;
  const rows = new Map<number, number>();
  for (let row = firstAt(states.timeUs, timeUs + 1) - 1; row >= 0; row--) {
    const group = states.group[row] as number;
    if (states.node[row] === node && !rows.has(group)) rows.set(group, row);
  }
  const present = [...rows]
    .filter(([, row]) => ROLES[states.role[row] as number] !== "gone")
    .sort(([a], [b]) => a - b);
  if (present.length === 0) return [];
  const head = ["group", "role", "term", "commit", "applied"];
  const table = element(
    "table",
    {},
    element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name))),
    ...present.map(([group, row]) => {
      const role = (ROLES[states.role[row] as number] ?? "").replace("_", "-");
      const cells = [
        nameOf(group),
        states.lease[row] === 1 ? `${role}, lease` : role,
        String(states.term[row]),
        String(states.commit[row]),
        String(states.applied[row]),
      ];
      return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
    }),
  );
  if (status !== "down" && status !== "broken") return [table];
  return [element("p", { class: "soft" }, "before it went down:"), table];
}
