/**
 * What takes down a run while it goes on, for the picture of it. It only looks: nothing of the
 * world depends on whether somebody films. A world that nobody films has no recorder and pays one
 * comparison for it.
 */
import type { RaftState } from "../../engine/raft/state.ts";
import { leaseValid } from "../../engine/raft/query.ts";
import type { StoreMessage } from "../../engine/store/types.ts";
import type { PlacementMessage } from "../../engine/placement/types.ts";
import * as tree from "../../engine/base/tree.ts";
import { EPOCH_MS, readClock } from "../clock/clock.ts";
import type { Call, Machine, Outcome, StoreMachine, World, WorldEvent } from "../model.ts";
import type { Packet } from "../network/network.ts";
import {
  CALL_ENDS,
  type CallEnd,
  type FilmFault,
  type MemberRole,
  ROLES,
  type Status,
  STATUSES,
} from "./film.ts";
import { type Table, addRow, tableOf } from "./table.ts";

/** Rows of a kind that are kept: some hundred megabytes of memory at most. */
export const MOST_ROWS = 400_000;
/** How often clocks are looked at, and what change of one is worth a row. */
const CLOCK_EVERY_US = 50_000;
const CLOCK_STEP_US = 5000;

/** Mutable: one for each run that is filmed. */
export interface Recorder {
  readonly words: Map<string, number>;
  readonly messages: Table;
  /** Further copies of messages, by the number of the message. */
  readonly copies: Table;
  readonly calls: Table;
  /** Of calls under way: their number in the table. */
  readonly open: Map<number, number>;
  readonly statuses: Table;
  readonly states: Table;
  readonly clocks: Table;
  readonly faults: Omit<FilmFault, "nodes">[];
  /** Operations that no history of the checkers knows, as they end. */
  readonly operations: NotedOperation[];
  /** Rows of `states`, by number, at which a member takes another role or term. */
  readonly turns: number[];
  /** By node: as last seen. */
  readonly lastStatus: Status[];
  readonly lastClock: number[];
  readonly lastReplicas: unknown[];
  /** By node, then by group. */
  readonly lastMembers: Map<number, Member>[];
  nextClockUs: number;
  healedUs: number | undefined;
  /** The node in whose event the violation was found. */
  violatedAt: number | undefined;
}

/** Something that a client wanted, as people are told of it. */
export interface NotedOperation {
  readonly client: string;
  readonly beginUs: number;
  readonly endUs: number;
  readonly text: string;
  readonly end: "open" | "answered" | "refused" | "unknown";
}

interface Member {
  readonly raft: RaftState;
  /** The row it was written with. */
  readonly row: readonly number[];
}

export const recorderOf = (): Recorder => ({
  words: new Map([["", 0]]),
  messages: tableOf(8),
  copies: tableOf(2),
  calls: tableOf(9),
  open: new Map(),
  statuses: tableOf(3),
  states: tableOf(9),
  clocks: tableOf(3),
  faults: [],
  operations: [],
  turns: [],
  lastStatus: [],
  lastClock: [],
  lastReplicas: [],
  lastMembers: [],
  nextClockUs: 0,
  healedUs: undefined,
  violatedAt: undefined,
});

/** Notes a packet that sets out, and when its copies arrive. */
export function notePacket(
  film: Recorder,
  timeUs: number,
  packet: Packet,
  copies: readonly number[],
  carries: StoreMessage | PlacementMessage | WorldEvent,
): void {
  const { from, to } = packet;
  const type = packet.type.name;
  let group = -1;
  let term = -1;
  let id = 0;
  let counted = copies.length;
  if (carries.type === "raft") {
    group = "region" in carries ? carries.region : 0;
    term = "term" in carries.message ? Number(carries.message.term) : -1;
  } else if ("call" in carries) {
    const { call } = carries;
    id = call.id;
    group = groupOf(call);
    if (carries.type === "request") noteCall(film, timeUs, call, group);
    // Only requests are repeated (`transport.ts`).
    else counted = Math.min(1, counted);
    if (carries.type === "cancel") endCall(film, timeUs, call.id, "cancelled", "");
  }
  const [first] = copies;
  const delay = first === undefined ? -1 : first - timeUs;
  const row = addRow(film.messages, MOST_ROWS, [
    timeUs,
    from,
    to,
    wordOf(film, type),
    group,
    term,
    id,
    delay,
  ]);
  for (let i = 1; i < counted; i++) {
    addRow(film.copies, MOST_ROWS, [row, (copies[i] as number) - timeUs]);
  }
}

function noteCall(film: Recorder, timeUs: number, call: Call, group: number): void {
  const method = wordOf(film, call.request.method);
  const { from, to } = call;
  const row = [call.id, timeUs, -1, from, to.node, method, group, 0, 0];
  film.open.set(call.id, addRow(film.calls, MOST_ROWS, row));
}

/** Notes what the caller was told. */
export function noteOutcome(film: Recorder, timeUs: number, call: Call, outcome: Outcome): void {
  switch (outcome.type) {
    case "reply": {
      const problem = problemOf(outcome.reply.response as Record<string, unknown>);
      return endCall(film, timeUs, call.id, problem === "" ? "answered" : "error", problem);
    }
    case "refused":
      return endCall(film, timeUs, call.id, "refused", `${outcome.code} ${outcome.message}`);
    default:
      return endCall(film, timeUs, call.id, "lost", "");
  }
}

function endCall(film: Recorder, timeUs: number, id: number, end: CallEnd, note: string): void {
  const row = film.open.get(id);
  if (row === undefined) return;
  // A caller that runs out of time cancels first and is told of the loss then.
  if (end !== "cancelled") film.open.delete(id);
  const { columns, dropped } = film.calls;
  const at = row - dropped;
  if (at < 0) return;
  set(columns, 2, at, timeUs - ((columns[1] as number[])[at] as number));
  set(columns, 7, at, CALL_ENDS.indexOf(end));
  set(columns, 8, at, wordOf(film, note));
}

function set(columns: readonly number[][], column: number, at: number, value: number): void {
  (columns[column] as number[])[at] = value;
}

/** Looks at the world after an event. */
export function look(film: Recorder, world: World, event: WorldEvent): void {
  const node = nodeOf(event);
  if (world.checks.violation !== undefined) film.violatedAt ??= node;
  if (world.phase !== "safety") film.healedUs ??= world.timeUs;
  for (const machine of world.servers) {
    if (film.lastStatus[machine.node] !== machine.status) noteStatus(film, world.timeUs, machine);
  }
  const machine = node === undefined ? undefined : world.servers[node];
  if (machine !== undefined) noteMembers(film, world, machine);
  if (world.timeUs < film.nextClockUs) return;
  film.nextClockUs = world.timeUs + CLOCK_EVERY_US;
  for (const server of world.servers) noteClock(film, world.timeUs, server);
}

function noteStatus(film: Recorder, timeUs: number, { node, status }: Machine): void {
  film.lastStatus[node] = status;
  addRow(film.statuses, MOST_ROWS, [timeUs, node, STATUSES.indexOf(status)]);
  if (status !== "down") return;
  film.lastMembers[node]?.clear();
  film.lastReplicas[node] = undefined;
}

function noteClock(film: Recorder, timeUs: number, { node, clock }: Machine): void {
  const offsetUs = (readClock(clock, timeUs).wallMs - EPOCH_MS) * 1000 - timeUs;
  const last = film.lastClock[node];
  if (last !== undefined && Math.abs(last - offsetUs) < CLOCK_STEP_US) return;
  film.lastClock[node] = offsetUs;
  addRow(film.clocks, MOST_ROWS, [timeUs, node, offsetUs]);
}

function noteMembers(film: Recorder, world: World, machine: Machine): void {
  const { state, node } = machine;
  if (state === undefined) return;
  const members = (film.lastMembers[node] ??= new Map());
  if (machine.kind === "placement") {
    const { raft } = machine.state as { readonly raft: RaftState };
    noteMember(film, world, machine, members, 0, raft, raft.applied);
    return;
  }
  noteReplicas(film, world, machine, members);
}

function noteReplicas(
  film: Recorder,
  world: World,
  machine: StoreMachine,
  members: Map<number, Member>,
): void {
  const replicas = machine.state?.replicas.byId;
  if (replicas === undefined || film.lastReplicas[machine.node] === replicas) return;
  film.lastReplicas[machine.node] = replicas;
  let count = 0;
  for (const [, replica] of tree.entries(replicas)) {
    count += 1;
    const { region, raft, applied } = replica;
    noteMember(film, world, machine, members, region.id, raft, applied);
  }
  if (members.size <= count) return;
  const present = new Set<number>([...tree.entries(replicas)].map(([, { region }]) => region.id));
  for (const [group, { row }] of members) {
    if (present.has(group)) continue;
    members.delete(group);
    const [, , , , ...rest] = row;
    const gone = [world.timeUs, machine.node, group, ROLES.indexOf("gone"), ...rest];
    film.turns.push(addRow(film.states, MOST_ROWS, gone));
  }
}

function noteMember(
  film: Recorder,
  world: World,
  machine: Machine,
  members: Map<number, Member>,
  group: number,
  raft: RaftState,
  applied: number,
): void {
  const last = members.get(group);
  if (last?.raft === raft && last.row[7] === applied) return;
  const role: MemberRole = raft.role;
  const now = readClock(machine.clock, world.timeUs).monotonicMs;
  const lease = role === "leader" && leaseValid(raft, now) ? 1 : 0;
  const { term, leader, commit } = raft;
  const { node } = machine;
  const at = ROLES.indexOf(role);
  const row = [world.timeUs, node, group, at, term, leader, commit, applied, lease];
  members.set(group, { raft, row });
  if (last !== undefined && row.every((value, i) => i === 0 || value === last.row[i])) return;
  const number = addRow(film.states, MOST_ROWS, row);
  if (last === undefined || last.row[3] !== at || last.row[4] !== term) film.turns.push(number);
}

/** At which node an event happens. */
function nodeOf(event: WorldEvent): number | undefined {
  switch (event.type) {
    case "message":
      return event.to;
    case "tick":
    case "turn":
    case "disk":
    case "start":
      return event.machine.node;
    case "request":
    case "cancel":
      return event.call.to.node;
    case "answer":
    case "deadline":
      return event.call.from;
    case "wake":
      return event.client.node;
    default:
      return undefined;
  }
}

function groupOf({ request: { request } }: Call): number {
  const { context } = request as { readonly context?: { readonly regionId?: unknown } | undefined };
  return context === undefined ? -1 : Number(context.regionId ?? -1);
}

/** The error that an answer carries, in a word or two; nothing where it carries none. */
function problemOf(response: Readonly<Record<string, unknown>>): string {
  const region = response["regionError"];
  if (typeof region === "object" && region !== null) return `region error: ${partOf(region)}`;
  const error = response["error"];
  if (typeof error === "string" && error !== "") return error.slice(0, 80);
  if (typeof error === "object" && error !== null) return partOf(error);
  const [first] = Array.isArray(response["errors"]) ? (response["errors"] as unknown[]) : [];
  return typeof first === "object" && first !== null ? partOf(first) : "";
}

/** Which part of an error message is set. */
function partOf(error: object): string {
  const set = Object.entries(error).find(([, value]) => typeof value === "object" && value);
  if (set !== undefined) return set[0];
  const text = Object.values(error).find((value) => typeof value === "string" && value !== "");
  return typeof text === "string" ? text.slice(0, 80) : "error";
}

/** The number of a text among the film's words. */
export function wordOf(film: Pick<Recorder, "words">, text: string): number {
  const known = film.words.get(text);
  if (known !== undefined) return known;
  const number = film.words.size;
  film.words.set(text, number);
  return number;
}
