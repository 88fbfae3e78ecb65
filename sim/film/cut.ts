/**
 * A cut of a film while its run goes on: everything that a picture of some stretch of time needs,
 * in the shape of a whole film. Rows that began before the stretch and reach into it are in.
 */
import type { World } from "../model.ts";
import { traceText } from "../trace/trace.ts";
import {
  CALL_NAMES,
  MESSAGE_NAMES,
  namedIn,
  nodesOf,
  operationsOf,
  STATE_NAMES,
  violationOf,
  type Window,
} from "./develop.ts";
import { type Film, FILM_VERSION, type FilmViolation } from "./film.ts";
import type { Recorder } from "./recorder.ts";
import { named, rowsOf, type Table } from "./table.ts";

/** How long before the stretch a message or a call may have begun to be looked for. */
const REACH_US = 10_000_000;
/** Lines of the story before the stretch that come with it. */
const LINES_BEFORE = 60;

/** `scenario` is the title; `violation` what `violationIn` gave, where there is one. */
export function cutOut(
  world: World,
  film: Recorder,
  scenario: string,
  window: Window,
  violation: FilmViolation | undefined,
): Film {
  const nodes = nodesOf(world);
  const names = nodes.map(({ name }) => name);
  const words = [...film.words.keys()];
  const known = new Map<string, number>();
  const word = (text: string): number => {
    const number = known.get(text) ?? words.push(text) - 1;
    known.set(text, number);
    return number;
  };
  const operations = operationsOf(world, film, names, window, word);
  const statuses = named(film.statuses, ["timeUs", "node", "status"]);
  const clocks = named(film.clocks, ["timeUs", "node", "offsetUs"]);
  return {
    version: FILM_VERSION,
    scenario,
    seed: world.seed,
    trace: traceText(world.trace),
    events: world.events,
    endUs: world.timeUs,
    healedUs: undefined,
    nodes,
    words,
    messages: messagesIn(film, window),
    calls: named(picked(film.calls, reaching(film.calls, 1, 2, window, true)), CALL_NAMES),
    operations,
    statuses,
    states: named(picked(film.states, statesIn(film, window)), STATE_NAMES),
    clocks,
    faults: film.faults.map((fault) => ({
      ...fault,
      endUs: Math.min(fault.endUs, world.timeUs),
      nodes: namedIn(fault.text, names),
    })),
    lines: linesIn(world, window),
    violation,
    leftOut: {
      messages: film.messages.dropped,
      calls: film.calls.dropped,
      states: film.states.dropped,
    },
  };
}

/** The violation with its causal past, by all that is kept; undefined where nothing is violated. */
export function violationIn(world: World, film: Recorder): FilmViolation | undefined {
  const { violation } = world.checks;
  if (violation === undefined) return undefined;
  const names = nodesOf(world).map(({ name }) => name);
  const messages = messagesIn(film, { beginUs: 0, endUs: Infinity });
  const statuses = named(film.statuses, ["timeUs", "node", "status"]);
  return violationOf(violation, film.violatedAt, names, messages, statuses);
}

function messagesIn(film: Recorder, window: Window): Film["messages"] {
  const { dropped } = film.messages;
  const rows = reaching(film.messages, 0, 7, window, false);
  const place = new Map(rows.map((row, i) => [row + dropped, i]));
  const { row, delayUs } = named(film.copies, ["row", "delayUs"]);
  const copyOf: number[] = [];
  const copyDelayUs: number[] = [];
  // Copies are in the order of what they are copies of.
  for (let i = firstAtLeast(row, (rows[0] ?? Infinity) + dropped); i < row.length; i++) {
    const at = place.get(row[i] as number);
    if (at === undefined) continue;
    copyOf.push(at);
    copyDelayUs.push(delayUs[i] as number);
  }
  return { ...named(picked(film.messages, rows), MESSAGE_NAMES), copyOf, copyDelayUs };
}

/**
 * Rows that begin within the window, and of those before it the ones that last into it. What lasts
 * -1 is `open`, or over at once.
 */
function reaching(
  table: Table,
  begins: number,
  lasts: number,
  window: Window,
  open: boolean,
): number[] {
  const beginUs = table.columns[begins] as number[];
  const lastsUs = table.columns[lasts] as number[];
  const rows: number[] = [];
  const first = firstAtLeast(beginUs, window.beginUs);
  for (let i = firstAtLeast(beginUs, window.beginUs - REACH_US); i < first; i++) {
    const last = lastsUs[i] as number;
    const isIn = last < 0 ? open : (beginUs[i] as number) + last >= window.beginUs;
    if (isIn) rows.push(i);
  }
  const end = firstAtLeast(beginUs, window.endUs + 1);
  for (let i = first; i < end; i++) rows.push(i);
  return rows;
}

/**
 * Rows of states within the window, and what held when it began: last row and last turn of each.
 */
function statesIn({ states, turns }: Recorder, window: Window): number[] {
  const [timeUs, node, group] = states.columns as [number[], number[], number[]];
  const first = firstAtLeast(timeUs, window.beginUs);
  const end = firstAtLeast(timeUs, window.endUs + 1);
  const member = (row: number): number =>
    (node[row] as number) * 0x1000000 + (group[row] as number);
  const began = new Map<number, number>();
  for (const number of turns) {
    const row = number - states.dropped;
    if (row >= first) break;
    if (row >= 0) began.set(member(row), row);
  }
  const before = new Set(began.values());
  const wanted = new Set(began.keys());
  for (let row = first - 1; row >= 0 && wanted.size > 0; row--) {
    if (wanted.delete(member(row))) before.add(row);
  }
  const rows = [...before].sort((a, b) => a - b);
  for (let row = first; row < end; row++) rows.push(row);
  return rows;
}

function linesIn({ trace: { lines } }: World, window: Window): Film["lines"] {
  const times = lines.map(({ timeUs }) => timeUs);
  const first = Math.max(0, firstAtLeast(times, window.beginUs) - LINES_BEFORE);
  return lines.slice(first, firstAtLeast(times, window.endUs + 1));
}

/** The table with these rows only. */
function picked({ columns, dropped }: Table, rows: readonly number[]): Table {
  const from = rows[0] ?? 0;
  const unbroken = (rows.at(-1) ?? from - 1) - from + 1 === rows.length;
  return {
    dropped,
    columns: columns.map((column) =>
      unbroken ? column.slice(from, from + rows.length) : rows.map((row) => column[row] as number),
    ),
  };
}

/** The first place in numbers that grow that is not below `least`. */
function firstAtLeast(numbers: readonly number[], least: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Places of `overviewOf`. */
const BINS = 400;

/** How many messages set out when, and how many of them were lost, over the whole run so far. */
export interface Overview {
  readonly bins: Uint32Array;
  readonly lost: Uint32Array;
  readonly most: number;
}

export function overviewIn(film: Recorder, endUs: number): Overview {
  const [sentUs, , , , , , , delayUs] = film.messages.columns;
  const bins = new Uint32Array(BINS);
  const lost = new Uint32Array(BINS);
  const scale = BINS / Math.max(1, endUs);
  for (let i = 0; i < rowsOf(film.messages); i++) {
    const bin = Math.min(BINS - 1, Math.floor((sentUs?.[i] as number) * scale));
    bins[bin] = (bins[bin] as number) + 1;
    if ((delayUs?.[i] as number) < 0) lost[bin] = (lost[bin] as number) + 1;
  }
  return { bins, lost, most: bins.reduce((most, count) => Math.max(most, count), 1) };
}
