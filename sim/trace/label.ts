/** An event in few words, for people who compare two runs. */
import { unreachable } from "../../engine/base/assert.ts";
import type { Call, World, WorldEvent } from "../model.ts";
import { nameOf } from "../names.ts";
import { seconds } from "./trace.ts";

export function labelOf(world: World, event: WorldEvent): string {
  return `${seconds(world.timeUs)} ${wordsOf(world, event)}`;
}

function wordsOf(world: World, event: WorldEvent): string {
  switch (event.type) {
    case "message": {
      const { payload } = event;
      const bytes = payload instanceof Uint8Array ? `, ${payload.length} bytes` : "";
      return `message from ${nameOf(world, event.from)} to ${nameOf(world, event.to)}${bytes}`;
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

const callWords = (world: World, { id, request, from, to }: Call): string =>
  `call ${id}, ${request.method} from ${nameOf(world, from)} to ${to.name}`;
