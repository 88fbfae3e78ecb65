/**
 * How nodes reach each other: messages between servers, which the network may repeat, and calls,
 * which reach a server at most once and are answered at most once.
 */
import type { PlacementMessage } from "../engine/placement/types.ts";
import type { PdCall, TikvCall } from "../engine/protocol/services.ts";
import type { StoreMessage } from "../engine/store/types.ts";
import type {
  Ask,
  AskOrigin,
  Call,
  Client,
  Machine,
  Outcome,
  Owner,
  Payload,
  World,
  WorldEvent,
} from "./model.ts";
import { schedule } from "./event-queue.ts";
import { notePacket } from "./film/recorder.ts";
import { messageType, type MessageType } from "./network/lanes.ts";
import { transmit } from "./network/network.ts";

/** Bytes that a call or an answer counts for on a narrow link. */
const CALL_BYTES = 120;
/** How long one member of the placement driver is waited for. */
const ATTEMPT_US = 1_000_000;
const RETRY_US = 60_000;

export function sendMessage(
  world: World,
  from: number,
  to: number,
  type: string,
  payload: Payload,
  message: StoreMessage | PlacementMessage,
): void {
  const bytes = payload instanceof Uint8Array ? payload.length : CALL_BYTES;
  const packet = {
    from,
    to,
    type: messageType(world.network.lanes, "message", type),
    bytes,
    once: false,
  };
  const copies = transmit(world.network, world.timeUs, packet);
  if (world.film !== undefined) notePacket(world.film, world.timeUs, packet, copies, message);
  for (const time of copies) schedule(world.queue, time, { type: "message", from, to, payload });
}

/** Calls `to`. The owner hears of it exactly once, unless it has gone before. */
export function beginCall(
  world: World,
  from: number,
  to: Machine,
  request: TikvCall | PdCall,
  timeoutUs: number,
  owner: Owner,
): Call {
  const id = world.nextCall;
  world.nextCall = id + 1;
  const call: Call = { id, request, from, to, owner, over: false, ticket: undefined };
  const type = messageType(world.network.lanes, "call", request.method);
  passOn(world, from, to.node, type, { type: "request", call });
  schedule(world.queue, world.timeUs + timeoutUs, { type: "deadline", call });
  return call;
}

/** The server's answer sets out for the caller. */
export function sendAnswer(world: World, call: Call, outcome: Outcome): void {
  call.ticket = undefined;
  const type = messageType(world.network.lanes, "answer", call.request.method);
  passOn(world, call.to.node, call.from, type, { type: "answer", call, outcome });
}

/** The caller gave up: tells the server, as a closed stream does. */
export function sendCancel(world: World, call: Call): void {
  const type = messageType(world.network.lanes, "message", "cancel");
  passOn(world, call.from, call.to.node, type, { type: "cancel", call });
}

/** Carries one part of a call over the network: once or never, where no hold repeats it. */
function passOn(
  world: World,
  from: number,
  to: number,
  type: MessageType,
  event: WorldEvent,
): void {
  const packet = { from, to, type, bytes: CALL_BYTES, once: true };
  const copies = transmit(world.network, world.timeUs, packet);
  if (world.film !== undefined) notePacket(world.film, world.timeUs, packet, copies, event);
  const time = copies[0];
  if (time === undefined) return;
  schedule(world.queue, time, event);
  if (event.type !== "request") return;
  for (let i = 1; i < copies.length; i++) {
    const call = echoOf(world, event.call);
    schedule(world.queue, copies[i] as number, { type: "request", call });
  }
}

/** The same request as a call that nobody waits for. */
function echoOf(world: World, call: Call): Call {
  const id = world.nextCall;
  world.nextCall = id + 1;
  return { ...call, id, over: true, ticket: undefined };
}

/** Asks whichever member leads the placement driver. */
export function askPlacement(
  world: World,
  origin: AskOrigin,
  request: PdCall,
  timeoutUs: number,
): void {
  attempt(world, { origin, request, expiresUs: world.timeUs + timeoutUs, attempts: 0 });
}

/** Calls the member that is taken for the leader. */
export function attempt(world: World, ask: Ask): void {
  const caller = askerOf(ask.origin);
  const member = world.members[caller.leader % world.members.length];
  if (member === undefined) return;
  ask.attempts += 1;
  const timeoutUs = Math.max(1, Math.min(ATTEMPT_US, ask.expiresUs - world.timeUs));
  beginCall(world, caller.node, member, ask.request, timeoutUs, { type: "ask", ask });
}

/** Whether a member's outcome ends the question; if not, the next member is tried after a while. */
export function settleAttempt(world: World, ask: Ask, outcome: Outcome): boolean {
  const elsewhere =
    outcome.type === "lost" || (outcome.type === "refused" && outcome.code === UNAVAILABLE);
  if (!elsewhere || world.timeUs + RETRY_US >= ask.expiresUs) return true;
  askerOf(ask.origin).leader += 1;
  schedule(world.queue, world.timeUs + RETRY_US, { type: "retry", ask });
  return false;
}

const UNAVAILABLE = 14;

const askerOf = (origin: AskOrigin): Client | (Machine & { kind: "store" }) =>
  origin.type === "client" ? origin.client : origin.machine;
