/**
 * A member of the placement driver as a machine of the world: the engine's `open` and `step` around
 * one simulated disk and clock.
 */
import type { PeerId, Ticket } from "../../engine/base/ids.ts";
import type {
  PlacementCall,
  PlacementEffect,
  PlacementMessage,
} from "../../engine/placement/types.ts";
import type { Call, Payload, PlacementMachine, World } from "../model.ts";
import { unreachable } from "../../engine/base/assert.ts";
import * as codec from "../../engine/placement/codec.ts";
import * as engine from "../../engine/placement/index.ts";
import { afterPlacementStep, lookAtPlacement } from "../checkers/look.ts";
import { readClock } from "../clock/clock.ts";
import { markPlacement, markRefusal } from "../search/placement-marks.ts";
import { markStart } from "../search/store-marks.ts";
import { springs } from "../faults/traps.ts";
import { sendMessage } from "../transport.ts";
import { givePlacement } from "./inbox.ts";
import { answer, fallInto, logged, refuseToStart, stopped, write } from "./process.ts";

export function open(world: World, machine: PlacementMachine): void {
  const now = readClock(machine.clock, world.timeUs);
  const config = { ...machine.config, seed: machine.config.seed + machine.starts };
  const opened = engine.open(machine.disk, config, now);
  if (!opened.ok) {
    refuseToStart(world, machine, opened);
    return;
  }
  machine.state = opened.state;
  lookAtPlacement(world, machine);
  markStart(world, opened.effects);
  perform(world, machine, opened.effects);
}

export function turn(world: World, machine: PlacementMachine): void {
  const { state, inbox } = machine;
  if (state === undefined) return;
  machine.inbox = [];
  const result = engine.step(state, readClock(machine.clock, world.timeUs), inbox);
  machine.state = result.state;
  afterPlacementStep(world, machine, result.effects);
  markPlacement(world, state, result.state);
  perform(world, machine, result.effects);
}

export function receive(
  world: World,
  from: number,
  machine: PlacementMachine,
  payload: Payload,
): void {
  const sender = world.members.find((member) => member.node === from);
  if (sender === undefined) return;
  const message = decoded(world, payload);
  givePlacement(world, machine, { type: "received", from: sender.id, message });
}

export function request(machine: PlacementMachine, ticket: Ticket, call: Call): void {
  machine.inbox.push({ type: "request", ticket, call: call.request as PlacementCall });
}

function perform(
  world: World,
  machine: PlacementMachine,
  effects: readonly PlacementEffect[],
): void {
  for (const effect of effects) {
    switch (effect.type) {
      case "send":
        send(world, machine, effect.to, effect.message);
        break;
      case "write":
        write(world, machine, effect);
        break;
      case "reply":
        answer(world, machine, effect.ticket, { type: "reply", reply: effect.reply });
        break;
      case "refuse": {
        const { code, message } = effect;
        markRefusal(world, machine.serving.get(effect.ticket)?.request.method);
        answer(world, machine, effect.ticket, { type: "refused", code, message });
        break;
      }
      case "admin_done":
        // Orders are given by fault injectors, who do not wait for what becomes of them.
        break;
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

function send(
  world: World,
  machine: PlacementMachine,
  to: PeerId,
  message: PlacementMessage,
): void {
  const target = world.members.find((member) => member.id === to);
  if (target === undefined) return;
  const payload = world.knobs.byReference ? message : codec.encodeMessage(message, world.wire);
  sendMessage(world, machine.node, target.node, typeOf(message), payload, message);
}

const typeOf = (message: PlacementMessage): string =>
  message.type === "raft" ? message.message.type : message.type;

function decoded(world: World, payload: Payload): PlacementMessage {
  if (!(payload instanceof Uint8Array)) return payload as PlacementMessage;
  const result = codec.decodeMessage(payload, world.wire);
  if (!result.ok) throw new Error(`a message does not decode: ${result.reason}`);
  return result.value;
}
