/**
 * Clients that ask the placement driver for timestamps, in batches. What they get is checked at
 * once: greater than all that anybody had got before they asked, and given to nobody else.
 */
import type { Client, Outcome, World } from "../model.ts";
import { GetMembersRequest, RequestHeader, TsoRequest } from "../../engine/protocol/gen/pdpb.ts";
import { timestampsGranted, timestampsRequested } from "../checkers/timestamps.ts";
import { schedule } from "../event-queue.ts";
import { firstGuess, nextOperation, type Operation } from "../decisions/operations.ts";
import { below, between } from "../random.ts";
import { askPlacement } from "../transport.ts";
import { countOutcome } from "./history.ts";

const NEXT = -1;
const PATIENCE_US = 3_000_000;

export function timestampClient(world: World, node: number, name: string, thinkUs: number): Client {
  let clusterId = 0n;
  let tag = 0;
  let asked = timestampsRequested(world.checks.timestamps);
  let operation: Operation | undefined;
  const rest = (): void => {
    const number = operation === undefined ? 0 : operation.number + 1;
    operation = nextOperation(world, name, number, thinkUs);
    if (operation === undefined) return;
    schedule(world.queue, world.timeUs + operation.waitUs, { type: "wake", client, tag: NEXT });
  };
  const ask = ({ random }: Operation): void => {
    tag += 1;
    asked = timestampsRequested(world.checks.timestamps);
    const origin = { type: "client", client, tag } as const;
    const header = RequestHeader.make({ clusterId });
    const count = below(random, 4) === 0 ? between(random, 2, 500) : 1;
    askPlacement(
      world,
      origin,
      clusterId === 0n
        ? { method: "GetMembers", request: GetMembersRequest.make() }
        : { method: "Tso", request: TsoRequest.make({ header, count }) },
      PATIENCE_US,
    );
  };
  const client: Client = {
    node,
    name,
    leader: firstGuess(world, name),
    start: rest,
    wake: (woken) => {
      if (woken === NEXT && world.clientsActive && operation !== undefined) ask(operation);
    },
    answered(answered: number, outcome: Outcome) {
      if (answered !== tag) return;
      rest();
      if (outcome.type === "reply" && outcome.reply.method === "GetMembers") {
        clusterId = outcome.reply.response.header?.clusterId ?? 0n;
        return;
      }
      const granted =
        outcome.type === "reply" && outcome.reply.method === "Tso"
          ? outcome.reply.response
          : undefined;
      const good = granted?.timestamp !== undefined && granted.header?.error === undefined;
      countOutcome(world.checks.history, "timestamps", good ? "ok" : "unknown");
      if (good && granted.timestamp !== undefined) {
        const { physical, logical } = granted.timestamp;
        timestampsGranted(world, name, asked, { physical, logical, count: granted.count });
      }
    },
  };
  return client;
}
