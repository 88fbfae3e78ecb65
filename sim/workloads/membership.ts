/**
 * An operator who keeps changing how many replicas a region should have, so that the placement
 * driver adds and removes peers all the time.
 */
import type { Client, Outcome, World } from "../model.ts";
import {
  GetMembersRequest,
  PutClusterConfigRequest,
  RequestHeader,
} from "../../engine/protocol/gen/pdpb.ts";
import { Cluster } from "../../engine/protocol/gen/metapb.ts";
import { schedule } from "../event-queue.ts";
import { firstGuess, nextOperation, type Operation } from "../decisions/operations.ts";
import { pick } from "../random.ts";
import { narrate } from "../trace/trace.ts";
import { askPlacement } from "../transport.ts";
import { countOutcome } from "./history.ts";

const NEXT = -1;
const PATIENCE_US = 3_000_000;

export function membershipClient(
  world: World,
  node: number,
  name: string,
  options: { readonly counts: readonly number[]; readonly thinkUs: number },
): Client {
  let clusterId = 0n;
  let tag = 0;
  let wanted = 0;
  let operation: Operation | undefined;
  const rest = (): void => {
    const number = operation === undefined ? 0 : operation.number + 1;
    operation = nextOperation(world, name, number, options.thinkUs);
    if (operation === undefined) return;
    schedule(world.queue, world.timeUs + operation.waitUs, { type: "wake", client, tag: NEXT });
  };
  const ask = ({ random }: Operation): void => {
    tag += 1;
    wanted = pick(random, options.counts);
    const origin = { type: "client", client, tag } as const;
    const header = RequestHeader.make({ clusterId });
    const cluster = Cluster.make({ maxPeerCount: wanted });
    askPlacement(
      world,
      origin,
      clusterId === 0n
        ? { method: "GetMembers", request: GetMembersRequest.make() }
        : {
            method: "PutClusterConfig",
            request: PutClusterConfigRequest.make({ header, cluster }),
          },
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
      const { history } = world.checks;
      const good =
        outcome.type === "reply" &&
        outcome.reply.method === "PutClusterConfig" &&
        outcome.reply.response.header?.error === undefined;
      countOutcome(history, "replica_count", good ? "ok" : "unknown");
      if (good) {
        narrate(world.trace, world.timeUs, "cluster", `regions are to have ${wanted} replicas`);
      }
    },
  };
  return client;
}
