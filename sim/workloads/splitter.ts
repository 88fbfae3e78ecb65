/**
 * A client that splits regions: it asks the leader of a region to split at one of the keys that the
 * other workloads use.
 */
import type { Key } from "../../engine/base/bytes.ts";
import type { Client, Outcome, World } from "../model.ts";
import { SplitRegionRequest } from "../../engine/protocol/gen/kvrpcpb.ts";
import { schedule } from "../event-queue.ts";
import { firstGuess, nextOperation, type Operation } from "../decisions/operations.ts";
import { below } from "../random.ts";
import { narrate } from "../trace/trace.ts";
import { countOutcome } from "./history.ts";
import { begin, onAnswer, onPause, sessionOf } from "./session.ts";

const NEXT = -1;

export function splitClient(
  world: World,
  node: number,
  name: string,
  options: { readonly slots: number; readonly most: number; readonly thinkUs: number },
): Client {
  let done = 0;
  let operation: Operation | undefined;
  const rest = (): void => {
    if (done >= options.most) return;
    const number = operation === undefined ? 0 : operation.number + 1;
    operation = nextOperation(world, name, number, options.thinkUs);
    if (operation === undefined) return;
    schedule(world.queue, world.timeUs + operation.waitUs, { type: "wake", client, tag: NEXT });
  };
  const split = ({ random, way }: Operation): void => {
    const slot = String(below(random, options.slots)).padStart(3, "0");
    const key = (below(random, 5) === 0 ? `s/client${below(random, 9)}` : `r${slot}/`) as Key;
    begin(session, way, {
      key,
      writes: true,
      anyReplica: false,
      prepare: (region, context) =>
        region.startKey === key
          ? undefined
          : {
              method: "SplitRegion",
              request: SplitRegionRequest.make({ context, splitKeys: [key], isRawKv: true }),
            },
      done(result) {
        countOutcome(world.checks.history, "split", result.type === "reply" ? "ok" : result.type);
        if (result.type === "reply") {
          done += 1;
          narrate(world.trace, world.timeUs, "cluster", `a region is split at ${key}`);
        }
        rest();
      },
    });
  };
  const client: Client = {
    node,
    name,
    leader: firstGuess(world, name),
    start: rest,
    wake: (tag) => {
      if (onPause(session, tag)) return;
      if (tag === NEXT && world.clientsActive && operation !== undefined) split(operation);
    },
    answered: (tag: number, outcome: Outcome) => void onAnswer(session, tag, outcome),
  };
  const session = sessionOf(world, () => client);
  return client;
}
