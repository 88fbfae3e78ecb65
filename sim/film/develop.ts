/** Makes the film of a run that is over from what its recorder took down. */
import type { Key } from "../../engine/base/bytes.ts";
import type { Violation } from "../checkers/verdict.ts";
import type { World } from "../model.ts";
import type { Record } from "../workloads/history.ts";
import { traceText } from "../trace/trace.ts";
import { type Arrival, coneOf } from "./cone.ts";
import {
  type Film,
  FILM_VERSION,
  type FilmFault,
  type FilmNode,
  type FilmViolation,
  type OperationColumns,
  STATUSES,
} from "./film.ts";
import { type Recorder, wordOf } from "./recorder.ts";
import { named } from "./table.ts";

/** Faults that do their work at one moment, whatever time they were drawn. */
const MOMENTARY = ["clock_drift", "clock_step", "transfer_leader", "damage"];

// In the order in which the recorder writes them.
const MESSAGE_NAMES = ["sentUs", "from", "to", "type", "group", "term", "call", "delayUs"] as const;
const CALL_NAMES = [
  "id",
  "beginUs",
  "lastsUs",
  "from",
  "to",
  "method",
  "group",
  "end",
  "note",
] as const;
const STATE_NAMES = [
  "timeUs",
  "node",
  "group",
  "role",
  "term",
  "leader",
  "commit",
  "applied",
  "lease",
] as const;

export function develop(world: World, film: Recorder, scenario: string): Film {
  const nodes = [...world.servers, ...world.clients].map(({ name, ...one }): FilmNode => {
    const kind = "kind" in one ? one.kind : "client";
    return { name, kind };
  });
  nodes.push({ name: "auditor", kind: "client" });
  const names = nodes.map(({ name }) => name);
  const operations = operationsOf(world, film, names);
  const messages = messagesOf(film);
  const { violation } = world.checks;
  const endUs = world.timeUs;
  const statuses = named(film.statuses, ["timeUs", "node", "status"]);
  return {
    version: FILM_VERSION,
    scenario,
    seed: world.seed,
    trace: traceText(world.trace),
    events: world.events,
    endUs,
    healedUs: film.healedUs,
    nodes,
    words: [...film.words.keys()],
    messages,
    calls: named(film.calls, CALL_NAMES),
    operations,
    statuses,
    states: named(film.states, STATE_NAMES),
    clocks: named(film.clocks, ["timeUs", "node", "offsetUs"]),
    faults: film.faults.map((fault) => faultOf(fault, names, film.healedUs ?? endUs)),
    lines: world.trace.lines,
    violation:
      violation === undefined
        ? undefined
        : violationOf(violation, film.violatedAt, names, messages, statuses),
    leftOut: {
      messages: film.messages.dropped,
      calls: film.calls.dropped,
      states: film.states.dropped,
    },
  };
}

function messagesOf(film: Recorder): Film["messages"] {
  const { dropped } = film.messages;
  const { row, delayUs } = named(film.copies, ["row", "delayUs"]);
  const kept = row.flatMap((number, i) => (number < dropped ? [] : i));
  return {
    ...named(film.messages, MESSAGE_NAMES),
    copyOf: kept.map((i) => (row[i] as number) - dropped),
    copyDelayUs: kept.map((i) => delayUs[i] as number),
  };
}

function faultOf(
  fault: Omit<FilmFault, "nodes">,
  names: readonly string[],
  end: number,
): FilmFault {
  const { type, timeUs, text } = fault;
  const endUs = MOMENTARY.includes(type) ? timeUs : Math.min(fault.endUs, Math.max(end, timeUs));
  return { type, timeUs, endUs, text, nodes: namedIn(text, names) };
}

/** The nodes that a text names. */
export function namedIn(text: string, names: readonly string[]): number[] {
  return names.flatMap((name, i) => {
    for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
      if (!/\d/.test(text[at + name.length] ?? "")) return i;
    }
    return [];
  });
}

function operationsOf(world: World, film: Recorder, names: readonly string[]): OperationColumns {
  const all: [Key, Record][] = [];
  for (const [key, records] of world.checks.history.keys) {
    for (const record of records) all.push([key, record]);
  }
  all.sort(([, a], [, b]) => a.startUs - b.startUs || a.start - b.start);
  const open = ({ endUs }: Record): boolean => endUs === Infinity;
  return {
    beginUs: all.map(([, { startUs }]) => startUs),
    lastsUs: all.map(([, one]) => (open(one) ? -1 : one.endUs - one.startUs)),
    client: all.map(([, { client }]) => names.indexOf(client)),
    text: all.map(([key, one]) => wordOf(film, describe(key, one))),
    end: all.map(([, one]) => (one.refused ? 1 : open(one) ? 2 : 0)),
  };
}

function describe(key: Key, one: Record): string {
  const value = (number: number): string => (number === 0 ? "nothing" : `value ${number}`);
  switch (one.type) {
    case "write":
      return one.value === 0 ? `delete ${key}` : `put ${value(one.value)} at ${key}`;
    case "read":
      return one.refused || one.endUs === Infinity
        ? `read ${key}`
        : `read ${key}: ${value(one.seen)}`;
    default: {
      const text = `swap ${value(one.expected)} for ${value(one.value)} at ${key}`;
      return one.refused || one.endUs === Infinity || one.swapped
        ? text
        : `${text}: finds ${value(one.seen)}`;
    }
  }
}

function violationOf(
  violation: Violation,
  at: number | undefined,
  names: readonly string[],
  messages: Film["messages"],
  statuses: Film["statuses"],
): FilmViolation {
  const { check, timeUs, text, detail } = violation;
  const nodes = at === undefined ? namedIn(text, names) : [at];
  const { cutUs, frontier } = coneOf(
    names.length,
    arrivalsOf(messages, statuses, timeUs),
    nodes,
    timeUs,
  );
  return { check, timeUs, text, detail, nodes, cutUs, frontier };
}

/** All copies that arrived up to `untilUs` where there was a process to take them. */
export function arrivalsOf(
  messages: Film["messages"],
  statuses: Film["statuses"],
  untilUs: number,
): Arrival[] {
  const { sentUs, from, to, delayUs, copyOf, copyDelayUs } = messages;
  const down = downtimes(statuses);
  const arrivals: Arrival[] = [];
  const add = (row: number, delay: number): void => {
    const sent = sentUs[row] as number;
    const arrivedUs = sent + delay;
    const target = to[row] as number;
    if (delay < 0 || arrivedUs > untilUs) return;
    if (down.get(target)?.some(([begin, end]) => arrivedUs > begin && arrivedUs < end)) return;
    arrivals.push({ row, from: from[row] as number, to: target, sentUs: sent, arrivedUs });
  };
  delayUs.forEach((delay, row) => add(row, delay));
  copyOf.forEach((row, i) => add(row, copyDelayUs[i] as number));
  return arrivals;
}

/** By node, when there was no process. */
function downtimes(statuses: Film["statuses"]): Map<number, [number, number][]> {
  const all = new Map<number, [number, number][]>();
  statuses.timeUs.forEach((timeUs, i) => {
    const node = statuses.node[i] as number;
    const status = STATUSES[statuses.status[i] as number];
    const own = all.get(node) ?? [];
    all.set(node, own);
    const last = own.at(-1);
    if (last !== undefined && last[1] === Infinity) last[1] = timeUs;
    if (status === "down" || status === "broken") own.push([timeUs, Infinity]);
  });
  return all;
}
