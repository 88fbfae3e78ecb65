/**
 * A store as a machine of the world: the engine's `open` and `step` around one simulated disk and
 * clock, and the effects that only stores have.
 */
import type { StoreId, Ticket } from "../../engine/base/ids.ts";
import type { PdReply, TikvCall } from "../../engine/protocol/services.ts";
import type { StoreEffect, StoreMessage } from "../../engine/store/types.ts";
import type { AskOrigin, Call, Outcome, Payload, StoreMachine, World } from "../model.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { TableCache } from "../../engine/storage/table/cache.ts";
import * as engine from "../../engine/store/index.ts";
import { afterStoreStep, lookAtStore } from "../checkers/look.ts";
import { readClock } from "../clock/clock.ts";
import { drawsOf } from "../decisions/decisions.ts";
import { schedule } from "../event-queue.ts";
import { below } from "../random.ts";
import { markReply } from "../search/reply-marks.ts";
import { markJob, markStart, markStore } from "../search/store-marks.ts";
import { narrate } from "../trace/trace.ts";
import { springs } from "../faults/traps.ts";
import { askPlacement, sendMessage } from "../transport.ts";
import { giveStore } from "./inbox.ts";
import { beginJob } from "./jobs.ts";
import { answer, fallInto, logged, refuseToStart, stopped, write } from "./process.ts";

/** What the checkers remember of a store's tables. */
const WATCHED_BYTES = 4 << 20;

/** How long a store's question to the placement driver may take. */
const ASK_US = 4_000_000;

export function open(world: World, machine: StoreMachine): void {
  const now = readClock(machine.clock, world.timeUs);
  const config = { ...machine.config, seed: machine.config.seed + machine.starts };
  machine.tables = new TableCache(machine.disk, config.cacheBytes);
  machine.watched = new TableCache(machine.disk.observer(), WATCHED_BYTES);
  const opened = engine.open(machine.tables, config, now);
  if (!opened.ok) {
    refuseToStart(world, machine, opened);
    return;
  }
  machine.state = opened.state;
  machine.seen.clear();
  machine.seenReplicas = undefined;
  noteIdentity(machine);
  lookAtStore(world, machine);
  markStart(world, opened.effects);
  perform(world, machine, opened.effects);
}

export function turn(world: World, machine: StoreMachine): void {
  const { state, inbox } = machine;
  if (state === undefined) return;
  machine.inbox = [];
  const result = engine.step(state, readClock(machine.clock, world.timeUs), machine.tables, inbox);
  machine.state = result.state;
  noteIdentity(machine);
  afterStoreStep(world, machine, result.effects);
  markStore(world, state, result.state, result.effects);
  perform(world, machine, result.effects);
  restartTroubled(world, machine, state);
}

/** A store whose disk has refused stays up to say so; an operator notices and starts it again. */
function restartTroubled(world: World, machine: StoreMachine, before: engine.StoreState): void {
  if (machine.state === undefined || engine.trouble(before) !== undefined) return;
  const trouble = engine.trouble(machine.state);
  if (trouble === undefined) return;
  narrate(world.trace, world.timeUs, "node", `${machine.name} is in trouble: ${trouble.reason}`);
  const { incarnation } = machine;
  const run = (): void => {
    if (machine.incarnation === incarnation) stopped(world, machine, "restarted by the operator");
  };
  const name = `operator/${machine.name}/${machine.starts}/trouble`;
  const delayUs = 200_000 + below(drawsOf(world.decisions, name), 2_000_000);
  schedule(world.queue, world.timeUs + delayUs, { type: "action", name: "operator", run });
}

export function receive(world: World, from: number, machine: StoreMachine, payload: Payload): void {
  const sender = world.stores.find((store) => store.node === from);
  if (sender === undefined) return;
  const message = decoded(world, payload);
  giveStore(world, machine, { type: "received", from: sender.id, message });
}

export function request(machine: StoreMachine, ticket: Ticket, call: Call): void {
  machine.inbox.push({ type: "request", ticket, call: call.request as TikvCall });
}

/** What came of a question to the placement driver. */
export function placementAnswered(
  world: World,
  origin: AskOrigin & { type: "store" },
  outcome: Outcome,
): void {
  const { machine, incarnation, ticket } = origin;
  if (machine.incarnation !== incarnation) return;
  const answer =
    outcome.type === "reply"
      ? ({ ok: true, reply: outcome.reply as PdReply } as const)
      : ({ ok: false, reason: "unavailable" } as const);
  giveStore(world, machine, { type: "placement_answer", ticket, answer });
}

function perform(world: World, machine: StoreMachine, effects: readonly StoreEffect[]): void {
  const { incarnation } = machine;
  for (const effect of effects) {
    switch (effect.type) {
      case "send":
        send(world, machine, effect.to, effect.message);
        break;
      case "write":
        write(world, machine, effect);
        break;
      case "job":
        markJob(world, effect.job);
        beginJob(world, machine, effect.ticket, effect.job);
        break;
      case "reply":
        markReply(world, machine.serving.get(effect.ticket)?.request, effect.reply);
        answer(world, machine, effect.ticket, { type: "reply", reply: effect.reply });
        break;
      case "refuse": {
        const { code, message } = effect;
        answer(world, machine, effect.ticket, { type: "refused", code, message });
        break;
      }
      case "ask_placement": {
        const origin = { type: "store", machine, incarnation, ticket: effect.ticket } as const;
        askPlacement(world, origin, effect.call, ASK_US);
        break;
      }
      case "log":
        logged(world, machine, effect);
        break;
      case "stop":
        stopped(world, machine, effect.reason);
        return;
      default:
        unreachable(effect);
    }
    if (machine.trap === undefined || !springs(machine, effect.type)) continue;
    // Behind the last effect there is nothing to cut off: the trap waits for another step.
    if (effect !== effects.at(-1)) return fallInto(world, machine, machine.trap);
  }
}

function send(world: World, machine: StoreMachine, to: StoreId, message: StoreMessage): void {
  const target = world.stores.find((store) => store.id === to);
  // Nobody is store 0: stores have that id here which do not know theirs yet.
  if (target === undefined || to === 0) return;
  const payload = world.knobs.byReference
    ? message
    : engine.encodeStoreMessage(message, world.wire);
  sendMessage(world, machine.node, target.node, typeOf(message), payload, message);
}

const typeOf = (message: StoreMessage): string =>
  message.type === "raft" ? message.message.type : message.type;

/** What another store sent decodes, for the network does not change bytes. */
function decoded(world: World, payload: Payload): StoreMessage {
  if (!(payload instanceof Uint8Array)) return payload as StoreMessage;
  const result = engine.decodeStoreMessage(payload, world.wire);
  if (!result.ok) throw new Error(`a message does not decode: ${result.reason}`);
  return result.value;
}

/** A store that lost its first identity before it was durable gets another one. */
function noteIdentity(machine: StoreMachine): void {
  if (machine.state !== undefined) machine.id = engine.storeId(machine.state) ?? machine.id;
}
