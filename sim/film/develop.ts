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
import { type NotedOperation, type Recorder, wordOf } from "./recorder.ts";
import { named } from "./table.ts";

/** Faults that do their work at one moment, whatever time they were drawn. */
const MOMENTARY = ["clock_drift", "clock_step", "transfer_leader", "damage"];

// In the order in which the recorder writes them.
export const MESSAGE_NAMES = [
  "sentUs",
  "from",
  "to",
  "type",
  "group",
  "term",
  "call",
  "delayUs",
] as const;
export const CALL_NAMES = [
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
export const STATE_NAMES = [
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
  const nodes = nodesOf(world);
  nodes.push({ name: "auditor", kind: "client" });
  const names = nodes.map(({ name }) => name);
  const operations = operationsOf(world, film, names, ALWAYS, (text) => wordOf(film, text));
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

/** Servers and clients as lanes, in the order of their numbers in the network. */
export const nodesOf = (world: World): FilmNode[] =>
  [...world.servers, ...world.clients].map(({ name, ...one }): FilmNode => {
    const kind = "kind" in one ? one.kind : "client";
    return { name, kind };
  });

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

/** A stretch of time. */
export interface Window {
  readonly beginUs: number;
  readonly endUs: number;
}

const ALWAYS: Window = { beginUs: 0, endUs: Infinity };

/** What clients wanted within `window`, in order of beginning; `word` numbers its texts. */
export function operationsOf(
  world: World,
  film: Recorder,
  names: readonly string[],
  window: Window,
  word: (text: string) => number,
): OperationColumns {
  const all: NotedOperation[] = film.operations.filter((one) => touches(one, window));
  for (const [key, records] of world.checks.history.keys) {
    for (const record of records) {
      if (touches({ beginUs: record.startUs, endUs: record.endUs }, window)) {
        all.push(noted(key, record));
      }
    }
  }
  // Of one instant: as they were found, which is an order like any other.
  all.sort((a, b) => a.beginUs - b.beginUs);
  return {
    beginUs: all.map(({ beginUs }) => beginUs),
    lastsUs: all.map(({ beginUs, endUs }) => (endUs === Infinity ? -1 : endUs - beginUs)),
    client: all.map(({ client }) => names.indexOf(client)),
    text: all.map(({ text }) => word(text)),
    end: all.map(({ end }) => (end === "refused" ? 1 : end === "answered" ? 0 : 2)),
  };
}

const touches = ({ beginUs, endUs }: Window, window: Window): boolean =>
  beginUs <= window.endUs && endUs >= window.beginUs;

const noted = (key: Key, record: Record): NotedOperation => ({
  client: record.client,
  beginUs: record.startUs,
  endUs: record.endUs,
  text: describe(key, record),
  end: record.refused ? "refused" : record.endUs === Infinity ? "open" : "answered",
});

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

export function violationOf(
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
