/**
 * Clients that put keys nobody touches again. Every acknowledged one must be there at the end, with
 * its value: the plainest form of durability, and the one that large histories can afford.
 */
import type { Key } from "../../engine/base/bytes.ts";
import type { Client, Outcome, World } from "../model.ts";
import type { Session } from "./session.ts";
import { schedule } from "../event-queue.ts";
import { firstGuess, nextOperation, type Operation } from "../decisions/operations.ts";
import { countOutcome, freshValue } from "./history.ts";
import * as requests from "./requests.ts";
import { begin, onAnswer, onPause, sessionOf } from "./session.ts";

/** What all clients of one workload share. */
export interface Inserts {
  readonly valueBytes: number;
  readonly thinkUs: number;
  /** Acknowledged keys with their values. Mutable. */
  readonly acknowledged: Map<Key, number>;
  /** Values of puts whose outcome is unknown. Mutable. */
  readonly unknown: Map<Key, number>;
}

const NEXT = -1;

interface State {
  readonly world: World;
  readonly shared: Inserts;
  readonly session: Session;
  readonly client: Client;
  operation: Operation | undefined;
}

export function insertClient(world: World, node: number, name: string, shared: Inserts): Client {
  const client: Client = {
    node,
    name,
    leader: firstGuess(world, name),
    start: () => rest(state),
    wake: (tag) => {
      if (onPause(session, tag)) return;
      if (tag === NEXT && world.clientsActive && state.operation !== undefined) {
        insert(state, state.operation);
      }
    },
    answered: (tag: number, outcome: Outcome) => void onAnswer(session, tag, outcome),
  };
  const session = sessionOf(world, () => client);
  const state: State = { world, shared, session, client, operation: undefined };
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

function insert(state: State, { number, way }: Operation): void {
  const { world, shared, client } = state;
  const { history } = world.checks;
  const key = `s/${client.name}/${String(number + 1).padStart(6, "0")}` as Key;
  const value = freshValue(history);
  begin(state.session, way, {
    key,
    writes: true,
    anyReplica: false,
    prepare: (_region, context) =>
      requests.single("put", key, context, value, 0, shared.valueBytes),
    done(result) {
      countOutcome(history, "insert", result.type === "reply" ? "ok" : result.type);
      if (result.type === "reply") shared.acknowledged.set(key, value);
      if (result.type === "unknown") shared.unknown.set(key, value);
      rest(state);
    },
  });
}
