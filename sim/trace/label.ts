/** An event in few words, for people who go through a run or compare two. */
import { unreachable } from "../../engine/base/assert.ts";
import * as placement from "../../engine/placement/codec.ts";
import { describeMessage as describePlacement } from "../../engine/placement/describe.ts";
import type { PlacementMessage } from "../../engine/placement/types.ts";
import { describeMessage as describeRaft } from "../../engine/raft/describe.ts";
import { decodeStoreMessage, describeStoreMessage } from "../../engine/store/index.ts";
import type { StoreMessage } from "../../engine/store/types.ts";
import type { Call, Payload, World, WorldEvent } from "../model.ts";
import { nameOf } from "../names.ts";
import { seconds } from "./trace.ts";

export function labelOf(world: World, event: WorldEvent): string {
  return `${seconds(world.timeUs)} ${wordsOfEvent(world, event)}`;
}

/** What happens to whom; of a message also what it says. */
export function wordsOfEvent(world: World, event: WorldEvent): string {
  switch (event.type) {
    case "message": {
      const { from, to, payload } = event;
      const isStore = world.servers[to]?.kind === "store";
      const said = isStore ? storeWords(world, payload) : placementWords(world, payload);
      return `message from ${nameOf(world, from)} to ${nameOf(world, to)}: ${said}`;
    }
    case "tick":
    case "turn":
    case "start":
      return `${event.type} of ${event.machine.name}`;
    case "disk":
      return `disk of ${event.machine.name}, ${event.track}`;
    case "request":
    case "answer":
    case "deadline":
    case "cancel":
      return `${event.type} of ${callWords(world, event.call)}`;
    case "retry":
      return `retry of ${event.ask.request.method}`;
    case "wake":
      return `wake of ${event.client.name}, ${event.tag}`;
    case "action":
      return `action ${event.name}`;
    default:
      return unreachable(event);
  }
}

function storeWords({ wire }: World, payload: Payload): string {
  let message = payload as StoreMessage;
  if (payload instanceof Uint8Array) {
    const decoded = decodeStoreMessage(payload, wire);
    if (!decoded.ok) return decoded.reason;
    message = decoded.value;
  }
  if (message.type !== "raft") return describeStoreMessage(message);
  return `region ${message.region}, ${describeRaft(message.message)}`;
}

function placementWords({ wire }: World, payload: Payload): string {
  if (!(payload instanceof Uint8Array)) return describePlacement(payload as PlacementMessage);
  const decoded = placement.decodeMessage(payload, wire);
  return decoded.ok ? describePlacement(decoded.value) : decoded.reason;
}

const callWords = (world: World, { id, request, from, to }: Call): string =>
  `call ${id}, ${request.method} from ${nameOf(world, from)} to ${to.name}`;
