/**
 * Clients that read, write, delete, swap, batch and scan a few keys through the raw API. Every
 * written value is unique, so the history tells which write each read saw; it is checked for
 * linearizability key by key.
 *
 * A key is used for a few hundred operations, then its slot goes on under a new name: histories
 * stay short enough to be checked, and the stores hold more than a handful of keys.
 */
import type { Key } from "../../engine/base/bytes.ts";
import type { Context } from "../../engine/protocol/gen/kvrpcpb.ts";
import type { Region } from "../../engine/protocol/gen/metapb.ts";
import type { TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import type { Client, Outcome, World } from "../model.ts";
import type { Random } from "../random.ts";
import type { History, Record } from "./history.ts";
import type { Result, Session } from "./session.ts";
import { inRange } from "../../engine/base/bytes.ts";
import { schedule } from "../event-queue.ts";
import { firstGuess, nextOperation, type Operation } from "../decisions/operations.ts";
import { below, chance, pickWeighted } from "../random.ts";
import { violated } from "../checkers/verdict.ts";
import * as requests from "./requests.ts";
import { countOutcome, freshValue, invoke } from "./history.ts";
import { begin, onAnswer, onPause, sessionOf } from "./session.ts";

export type Kind = "put" | "get" | "delete" | "swap" | "batch_put" | "batch_get" | "scan";

/** What all clients of one workload share. */
export interface Registers {
  readonly slots: number;
  /** How often each kind of operation is chosen, relatively. */
  readonly mix: readonly (readonly [weight: number, kind: Kind])[];
  /** Reads sent to any replica, in millionths. */
  readonly replicaReads: number;
  readonly valueBytes: number;
  /** Microseconds between two operations of a client, on average. */
  readonly thinkUs: number;
  /** Operations begun on each slot. Mutable. */
  readonly used: number[];
}

/** Operations on one name before its slot takes the next. */
const OPERATIONS_PER_KEY = 300;
const NEXT = -1;

/** The name of a slot's current key. Slots spread over the key space, in order. */
export function keyOf(shared: Registers, slot: number): Key {
  const generation = Math.floor((shared.used[slot] as number) / OPERATIONS_PER_KEY);
  return nameOf(slot, generation);
}

const nameOf = (slot: number, generation: number): Key =>
  `r${String(slot).padStart(3, "0")}/${String(generation).padStart(3, "0")}` as Key;

/** All names the workload has used so far, in order. */
export function keysUsed(shared: Registers): Key[] {
  return shared.used.flatMap((used, slot) =>
    Array.from({ length: Math.floor(used / OPERATIONS_PER_KEY) + 1 }, (_, i) => nameOf(slot, i)),
  );
}

interface State {
  readonly world: World;
  readonly shared: Registers;
  readonly history: History;
  readonly session: Session;
  readonly client: Client;
  /** What is done next, or under way. */
  operation: Operation | undefined;
}

/** One client of the workload. It runs until the world stops its clients. */
export function registerClient(
  world: World,
  node: number,
  name: string,
  shared: Registers,
): Client {
  const client: Client = {
    node,
    name,
    leader: firstGuess(world, name),
    start: () => rest(state),
    wake: (tag) => {
      if (onPause(session, tag)) return;
      if (tag === NEXT && world.clientsActive && state.operation !== undefined) {
        next(state, state.operation);
      }
    },
    answered: (tag: number, outcome: Outcome) => void onAnswer(session, tag, outcome),
  };
  const session = sessionOf(world, () => client);
  const { history } = world.checks;
  const state: State = { world, shared, history, session, client, operation: undefined };
  return client;
}

function rest(state: State): void {
  const { world, shared, client } = state;
  const number = state.operation === undefined ? 0 : state.operation.number + 1;
  state.operation = nextOperation(world, client.name, number, shared.thinkUs);
  if (state.operation === undefined) return;
  const time = world.timeUs + state.operation.waitUs;
  schedule(world.queue, time, { type: "wake", client, tag: NEXT });
}

function next(state: State, operation: Operation): void {
  const { shared } = state;
  const { random } = operation;
  const slot = below(random, shared.slots);
  const kind = pickWeighted(random, shared.mix);
  shared.used[slot] = (shared.used[slot] as number) + 1;
  switch (kind) {
    case "put":
    case "delete":
    case "swap":
    case "get":
      single(state, operation, kind, slot);
      break;
    case "batch_put":
    case "batch_get":
    case "scan":
      several(state, operation, kind, slot);
      break;
  }
}

/** An operation on one key. Its record is made when it is first sent. */
function single(
  state: State,
  { random, way }: Operation,
  kind: "put" | "get" | "delete" | "swap",
  slot: number,
): void {
  const { world, shared, history, client } = state;
  const key = keyOf(shared, slot);
  const writes = kind !== "get";
  const value = kind === "put" || kind === "swap" ? freshValue(history) : 0;
  const expected = kind === "swap" ? likelyValue(history, key, random) : 0;
  let record: Record | undefined;
  begin(state.session, way, {
    key,
    writes,
    anyReplica: kind === "get" && chance(random, shared.replicaReads),
    prepare(_region: Region, context: Context): TikvCall {
      record ??= invoke(history, key, {
        client: client.name,
        type: kind === "get" ? "read" : kind === "swap" ? "swap" : "write",
        value,
        expected,
        start: (world.nextOrder += 1),
        startUs: world.timeUs,
      });
      return requests.single(kind, key, context, value, expected, shared.valueBytes);
    },
    done(result) {
      if (record !== undefined) settle(state, kind, [record], result);
      if (record !== undefined && result.type === "reply") {
        answerSingle(state, key, record, result.reply);
      }
      rest(state);
    },
  });
}

/** Takes from the reply what the record is to say. */
function answerSingle(state: State, key: Key, record: Record, reply: TikvReply): void {
  const answer = requests.singleAnswer(reply);
  if (answer.type === "error") return broken(state, key, answer.text);
  if (answer.type === "value") record.seen = answer.value;
  if (answer.type === "swapped") {
    record.swapped = answer.swapped;
    record.seen = answer.previous;
  }
}

/** An operation on all current keys of a stretch of slots that lie in one region. */
function several(
  state: State,
  { random, way }: Operation,
  kind: "batch_put" | "batch_get" | "scan",
  slot: number,
): void {
  const { world, shared, history, client } = state;
  const first = keyOf(shared, slot);
  const wanted = 2 + below(random, 4);
  let keys: Key[] = [];
  let records: Record[] = [];
  let values: number[] = [];
  begin(state.session, way, {
    key: first,
    writes: kind === "batch_put",
    anyReplica: kind !== "batch_put" && chance(random, shared.replicaReads),
    prepare(region: Region, context: Context): TikvCall | undefined {
      if (records.length === 0) {
        keys = Array.from({ length: shared.slots - slot }, (_, i) => keyOf(shared, slot + i))
          .filter((key) => inRange(key, region.startKey, region.endKey))
          .slice(0, wanted);
        values = keys.map(() => (kind === "batch_put" ? freshValue(history) : 0));
        const start = (world.nextOrder += 1);
        records = keys.map((key, i) =>
          invoke(history, key, {
            client: client.name,
            type: kind === "batch_put" ? "write" : "read",
            value: values[i] as number,
            start,
            startUs: world.timeUs,
          }),
        );
      }
      const last = keys.at(-1);
      if (last === undefined || !inRange(last, region.startKey, region.endKey)) return undefined;
      return requests.several(kind, keys, context, values, shared.valueBytes);
    },
    done(result) {
      settle(state, kind, records, result);
      if (result.type === "reply" && kind !== "batch_put") {
        const seen = requests.severalAnswer(result.reply);
        if (seen.type === "error") broken(state, first, seen.text);
        else records.forEach((one, i) => (one.seen = seen.values.get(keys[i] as Key) ?? 0));
      }
      rest(state);
    },
  });
}

/** Notes how an operation ended. */
function settle(state: State, kind: Kind, records: readonly Record[], result: Result): void {
  const { world, history } = state;
  const outcome = result.type === "reply" ? "ok" : result.type;
  countOutcome(history, kind, outcome);
  if (outcome === "unknown") return;
  const end = (world.nextOrder += 1);
  for (const record of records) {
    record.end = end;
    record.endUs = world.timeUs;
    record.refused = outcome === "refused";
  }
}

/** A value the key has probably had lately: swaps that always fail find nothing. */
function likelyValue(history: History, key: Key, random: Random): number {
  const records = history.keys.get(key) ?? [];
  for (let i = records.length - 1; i >= 0 && i >= records.length - 6; i--) {
    const record = records[i] as Record;
    if (record.end === Infinity || record.refused || chance(random, 300_000)) continue;
    if (record.type === "read") return record.seen;
    if (record.type === "write" || record.swapped) return record.value;
  }
  return 0;
}

function broken(state: State, key: Key, text: string): void {
  violated(state.world, "answers", `${state.client.name} on ${key}: ${text}`);
}
