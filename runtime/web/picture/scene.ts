/**
 * What the picture draws, made once from the film: columns in the shape that drawing and finding
 * need, everything in order of time.
 */
import {
  CALL_ENDS,
  type CallEnd,
  type Film,
  type MemberRole,
  ROLES,
  type Status,
  STATUSES,
} from "../../../sim/film/film.ts";

/** How a message fared. */
export type Fate = "arrived" | "late" | "lost" | "dropped" | "underway";

/** A stretch of time of one node. */
export interface Span {
  readonly node: number;
  readonly beginUs: number;
  readonly endUs: number;
}

export interface RoleSpan extends Span {
  readonly group: number;
  readonly role: MemberRole;
  readonly term: number;
}

export interface StatusSpan extends Span {
  readonly status: Status;
}

export interface Bar extends Span {
  readonly kind: "call" | "operation";
  /** In the film's columns. */
  readonly row: number;
  readonly end: CallEnd;
  readonly text: string;
  /** Which of the lane's lines it is on, so that bars do not cover each other. */
  line: number;
}

/** One copy of a message. */
export interface Arrows {
  readonly count: number;
  readonly row: Uint32Array;
  readonly sentUs: Float64Array;
  /** When it arrives; where it is lost, when it was sent. */
  readonly endUs: Float64Array;
  readonly from: Uint16Array;
  readonly to: Uint16Array;
  readonly type: Uint16Array;
  readonly family: Uint8Array;
  readonly fate: Uint8Array;
  /** 1 for further copies and for what they are copies of. */
  readonly doubled: Uint8Array;
  /** 1 where it is in the past of the violation. */
  readonly past: Uint8Array;
  /** The longest time any takes: no arrow that begins earlier is still in sight. */
  readonly longestUs: number;
}

export interface Scene {
  readonly film: Film;
  readonly arrows: Arrows;
  readonly groups: readonly number[];
  readonly roles: readonly RoleSpan[];
  readonly statuses: readonly StatusSpan[];
  readonly bars: readonly Bar[];
  /** When each begins, and the longest time any takes. */
  readonly barStarts: Float64Array;
  readonly longestBarUs: number;
  readonly types: readonly {
    readonly word: number;
    readonly name: string;
    readonly count: number;
  }[];
  readonly lateUs: number;
}

export const FATES: readonly Fate[] = ["arrived", "late", "lost", "dropped", "underway"];
export const FAMILIES = ["raft", "vote", "snapshot", "call", "other"] as const;
export type Family = (typeof FAMILIES)[number];

export function sceneOf(film: Film): Scene {
  const statuses = statusSpans(film);
  const lateUs = lateness(film.messages.delayUs);
  const counts = new Map<number, number>();
  for (const word of film.messages.type) counts.set(word, (counts.get(word) ?? 0) + 1);
  const groups = [...new Set(film.states.group)].sort((a, b) => a - b);
  const types = [...counts].map(([word, count]) => ({ word, name: film.words[word] ?? "", count }));
  const bars = barsOf(film);
  return {
    film,
    arrows: arrowsOf(film, statuses, lateUs),
    groups,
    roles: roleSpans(film, statuses),
    statuses,
    bars,
    barStarts: Float64Array.from(bars, ({ beginUs }) => beginUs),
    longestBarUs: bars.reduce((most, one) => Math.max(most, one.endUs - one.beginUs), 0),
    types: types.sort((a, b) => b.count - a.count),
    lateUs,
  };
}

/** What takes so long is late: five times as long as most, and longer than any network is. */
function lateness(delays: readonly number[]): number {
  const sorted = Float64Array.from(delays.filter((delay) => delay >= 0)).sort();
  return Math.max(50_000, 5 * (sorted[sorted.length >> 1] ?? 0));
}

function arrowsOf(film: Film, statuses: readonly StatusSpan[], lateUs: number): Arrows {
  const { messages, words, violation } = film;
  const copies = messages.copyOf.length;
  const count = messages.sentUs.length + copies;
  const rows = Uint32Array.from({ length: count }, (_, i) =>
    i < copies ? (messages.copyOf[i] as number) : i - copies,
  );
  const delays = Float64Array.from({ length: count }, (_, i) =>
    i < copies ? (messages.copyDelayUs[i] as number) : (messages.delayUs[i - copies] as number),
  );
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const sent = (i: number): number => messages.sentUs[rows[i] as number] as number;
  if (copies > 0)
    order.sort((a, b) => sent(a) - sent(b) || (rows[a] as number) - (rows[b] as number));
  const doubledRows = new Set(messages.copyOf);
  const families = words.map(familyOf);
  const downs = film.nodes.map((_, node) =>
    statuses.filter(
      (one) => one.node === node && (one.status === "down" || one.status === "broken"),
    ),
  );
  const arrows = {
    count,
    row: new Uint32Array(count),
    sentUs: new Float64Array(count),
    endUs: new Float64Array(count),
    from: new Uint16Array(count),
    to: new Uint16Array(count),
    type: new Uint16Array(count),
    family: new Uint8Array(count),
    fate: new Uint8Array(count),
    doubled: new Uint8Array(count),
    past: new Uint8Array(count),
    longestUs: 0,
  };
  order.forEach((source, i) => {
    const row = rows[source] as number;
    const delay = delays[source] as number;
    const begin = messages.sentUs[row] as number;
    const end = begin + Math.max(0, delay);
    const to = messages.to[row] as number;
    arrows.row[i] = row;
    arrows.sentUs[i] = begin;
    arrows.endUs[i] = end;
    arrows.from[i] = messages.from[row] as number;
    arrows.to[i] = to;
    arrows.type[i] = messages.type[row] as number;
    arrows.family[i] = families[messages.type[row] as number] as number;
    const isDown = downs[to]?.some(({ beginUs, endUs }) => end > beginUs && end < endUs) === true;
    const isCall = (messages.call[row] as number) !== 0;
    let fate: Fate = delay > lateUs ? "late" : "arrived";
    if (delay < 0) fate = "lost";
    else if (end > film.endUs) fate = "underway";
    else if (isDown && !isCall) fate = "dropped";
    arrows.fate[i] = FATES.indexOf(fate);
    arrows.doubled[i] = doubledRows.has(row) ? 1 : 0;
    const takenIn = fate === "arrived" || fate === "late";
    arrows.past[i] = takenIn && end <= (violation?.cutUs[to] ?? -1) ? 1 : 0;
    arrows.longestUs = Math.max(arrows.longestUs, end - begin);
  });
  return arrows;
}

function familyOf(type: string): number {
  let family: Family = "raft";
  if (/^(call|answer|cancel)/.test(type)) family = "call";
  else if (/vote|timeout_now/.test(type)) family = "vote";
  else if (/snapshot/.test(type)) family = "snapshot";
  else if (!/append|heartbeat|read_index/.test(type)) family = "other";
  return FAMILIES.indexOf(family);
}

function statusSpans({ statuses, nodes, endUs }: Film): StatusSpan[] {
  const spans: StatusSpan[] = [];
  nodes.forEach((_, node) => {
    const rows = statuses.node.flatMap((own, row) => (own === node ? row : []));
    rows.forEach((row, i) => {
      const next = rows[i + 1];
      const end = next === undefined ? endUs : (statuses.timeUs[next] as number);
      const status = STATUSES[statuses.status[row] as number] ?? "up";
      spans.push({ node, status, beginUs: statuses.timeUs[row] as number, endUs: end });
    });
  });
  return spans;
}

/** Terms as leader or candidate, ended by a crash too. Followers are everyone else. */
function roleSpans(film: Film, statuses: readonly StatusSpan[]): RoleSpan[] {
  const { states } = film;
  const open = new Map<string, Omit<RoleSpan, "endUs">>();
  const spans: RoleSpan[] = [];
  const close = (key: string, endUs: number): void => {
    const span = open.get(key);
    if (span === undefined) return;
    open.delete(key);
    const down = statuses.find(
      ({ node, status, beginUs }) =>
        node === span.node && status === "down" && beginUs > span.beginUs && beginUs < endUs,
    );
    spans.push({ ...span, endUs: down?.beginUs ?? endUs });
  };
  states.timeUs.forEach((timeUs, row) => {
    const node = states.node[row] as number;
    const group = states.group[row] as number;
    const role = ROLES[states.role[row] as number] ?? "gone";
    const term = states.term[row] as number;
    const key = `${node}/${group}`;
    const last = open.get(key);
    if (last?.role === role && last.term === term) return;
    close(key, timeUs);
    if (role !== "gone") open.set(key, { node, group, role, term, beginUs: timeUs });
  });
  for (const key of open.keys()) close(key, film.endUs);
  return spans.sort((a, b) => a.beginUs - b.beginUs);
}

/** Calls and operations of clients, each on the first line of its lane that is free. */
function barsOf(film: Film): Bar[] {
  const { calls, operations, words, nodes, endUs } = film;
  const bars: Bar[] = [];
  const end = (begin: number, lasts: number): number => (lasts < 0 ? endUs : begin + lasts);
  const until = operationEnds(film);
  operations.beginUs.forEach((beginUs, row) => {
    const outcome: CallEnd =
      (["answered", "refused", "lost"] as const)[operations.end[row] as number] ?? "open";
    bars.push({
      kind: "operation",
      row,
      node: operations.client[row] as number,
      beginUs,
      endUs: until[row] ?? endUs,
      end: outcome,
      text: words[operations.text[row] as number] ?? "",
      line: 0,
    });
  });
  calls.beginUs.forEach((beginUs, row) => {
    const node = calls.from[row] as number;
    if (nodes[node]?.kind !== "client") return;
    const note = words[calls.note[row] as number] ?? "";
    bars.push({
      kind: "call",
      row,
      node,
      beginUs,
      endUs: end(beginUs, calls.lastsUs[row] as number),
      end: CALL_ENDS[calls.end[row] as number] ?? "open",
      text: `${words[calls.method[row] as number] ?? ""}${note === "" ? "" : `: ${note}`}`,
      line: 1,
    });
  });
  bars.sort((a, b) => a.beginUs - b.beginUs);
  const free: number[][] = nodes.map(() => []);
  for (const bar of bars) {
    if (bar.kind === "operation") continue;
    const lines = free[bar.node] as number[];
    let line = lines.findIndex((until) => until <= bar.beginUs);
    if (line < 0) line = Math.min(lines.length, 3);
    lines[line] = bar.endUs;
    bar.line = 1 + line;
  }
  return bars;
}

/** A client does one thing at a time: what it got no answer to was given up by its next one. */
function operationEnds({ operations, endUs }: Film): number[] {
  const next = new Map<number, number>();
  return operations.beginUs
    .map((beginUs, row) => {
      const at = operations.beginUs.length - 1 - row;
      return [operations.beginUs[at] ?? beginUs, operations.lastsUs[at] ?? -1, at] as const;
    })
    .map(([beginUs, lastsUs, at]) => {
      const client = operations.client[at] as number;
      const limit = next.get(client) ?? endUs;
      next.set(client, beginUs);
      return lastsUs < 0 ? limit : beginUs + lastsUs;
    })
    .reverse();
}

/** The first place in `times`, which grow, that is not before `time`. */
export function firstAt(times: ArrayLike<number>, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Virtual time in seconds, as fine as `stepUs` needs. */
export function clockText(timeUs: number, stepUs = 1000): string {
  const digits = Math.max(0, Math.min(6, Math.ceil(6 - Math.log10(Math.max(1, stepUs)))));
  return `${(timeUs / 1e6).toFixed(digits)} s`;
}

/** A duration in the unit that suits it. */
export function lengthText(us: number): string {
  if (Math.abs(us) < 1000) return `${Math.round(us)} µs`;
  if (Math.abs(us) < 1e6) return `${(us / 1000).toFixed(1)} ms`;
  return `${(us / 1e6).toFixed(2)} s`;
}
