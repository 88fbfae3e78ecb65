/**
 * Clients that put keys nobody touches again. Every acknowledged one must be there at the end, with
 * its value: the plainest form of durability, and the one that large histories can afford.
 */
import type { Key } from "../../engine/base/bytes.ts";
import type { Client, Outcome, World } from "../model.ts";
import type { Random } from "../random.ts";
import type { Session } from "./session.ts";
import { schedule } from "../event-queue.ts";
import { below, between } from "../random.ts";
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
  readonly random: Random;
  readonly session: Session;
  readonly client: Client;
  count: number;
}

export function insertClient(
  world: World,
  node: number,
  name: string,
  shared: Inserts,
  random: Random,
): Client {
  const client: Client = {
    node,
    name,
    leader: below(random, 8),
    start: () => rest(state),
    wake: (tag) => {
      if (onPause(session, tag)) return;
      if (tag === NEXT && world.clientsActive) insert(state);
    },
    answered: (tag: number, outcome: Outcome) => void onAnswer(session, tag, outcome),
  };
  const session = sessionOf(world, () => client, random);
  const state: State = { world, shared, random, session, client, count: 0 };
  return client;
}

function rest(state: State): void {
  const time = state.world.timeUs + between(state.random, 1, 2 * state.shared.thinkUs);
  schedule(state.world.queue, time, { type: "wake", client: state.client, tag: NEXT });
}

function insert(state: State): void {
  const { world, shared, client } = state;
  const { history } = world.checks;
  state.count += 1;
  const key = `s/${client.name}/${String(state.count).padStart(6, "0")}` as Key;
  const value = freshValue(history);
  begin(state.session, {
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
