/** One line for every input, effect and message, for traces and golden tests. */
import { unreachable } from "../base/assert.ts";
import { describeMessage as describeRaft } from "../raft/describe.ts";
import type { PlacementEffect, PlacementInput, PlacementMessage } from "./types.ts";

export function describeMessage(message: PlacementMessage): string {
  switch (message.type) {
    case "raft":
      return describeRaft(message.message);
    case "snapshot":
      return `snapshot at ${message.metadata.index}/${message.metadata.term} in term ${message.term}, ${message.bytes.length} bytes`;
    default:
      return unreachable(message);
  }
}

export function describeInput(input: PlacementInput): string {
  switch (input.type) {
    case "tick":
      return "tick";
    case "received":
      return `from member ${input.from}: ${describeMessage(input.message)}`;
    case "request":
      return `request ${input.ticket}: ${input.call.method}`;
    case "cancelled":
      return `request ${input.ticket} is cancelled`;
    case "admin":
      return `order ${input.ticket}: ${JSON.stringify(input.order)}`;
    case "unreachable":
      return `member ${input.member} is unreachable`;
    case "written":
      return `write ${input.ticket} is done`;
    case "write_failed":
      return `write ${input.ticket} failed: ${input.reason} at ${input.file}`;
    default:
      return unreachable(input);
  }
}

export function describeEffect(effect: PlacementEffect): string {
  switch (effect.type) {
    case "send":
      return `to member ${effect.to}: ${describeMessage(effect.message)}`;
    case "write":
      return `write ${effect.ticket}: ${effect.operations.map(({ type }) => type).join(", ")}`;
    case "reply":
      return `reply ${effect.ticket}: ${effect.reply.method}${errorOf(effect.reply.response)}`;
    case "refuse":
      return `refuse ${effect.ticket}: status ${effect.code}, ${effect.message}`;
    case "admin_done":
      return `order ${effect.ticket} is ${effect.ok ? "taken" : `refused: ${effect.message}`}`;
    case "log":
      return `log ${effect.level}: ${effect.message} ${JSON.stringify(effect.fields)}`;
    case "stop":
      return `stop: ${effect.reason}`;
    default:
      return unreachable(effect);
  }
}

function errorOf(response: object): string {
  const { header } = response as { header?: { error?: { message: string } | undefined } };
  return header?.error === undefined ? "" : ` with error: ${header.error.message}`;
}
