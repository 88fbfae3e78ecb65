/** Has regions split between the keys of transactions. */
import type { Key } from "../../engine/base/bytes.ts";
import { Backoff } from "../../engine/client/backoff.ts";
import { SplitRegionRequest } from "../../engine/protocol/gen/kvrpcpb.ts";
import type { Client, World } from "../model.ts";
import type { Random } from "../random.ts";
import { narrate } from "../trace/trace.ts";
import { asyncClient } from "./async-client.ts";
import { countOutcome } from "./history.ts";
import { failureOf, libraryOf, PATIENCE } from "./library.ts";

/** Between two splits, on average. */
const THINK_US = 1_500_000;

/** Splits at most `most` times, at keys that `draw` gives. */
export function transactionalSplitter(
  world: World,
  node: number,
  name: string,
  most: number,
  draw: (random: Random) => Key,
): Client {
  let done = 0;
  return asyncClient(world, node, name, async (ports, operate) => {
    const { cluster } = libraryOf(world, ports);
    await operate(THINK_US, async (random) => {
      if (done >= most) return;
      const key = draw(random);
      const backoff = new Backoff(ports, PATIENCE.timeoutMs, undefined);
      const sent = cluster.send(backoff, key, { ...PATIENCE, repeatable: true }, (context) => ({
        method: "SplitRegion",
        request: SplitRegionRequest.make({ context, splitKeys: [key] }),
      }));
      const failure = await failureOf(sent);
      countOutcome(world.checks.history, "split", failure === undefined ? "ok" : "unknown");
      if (failure !== undefined) return;
      done += 1;
      narrate(world.trace, world.timeUs, "cluster", `a region is split at ${key}`);
    });
  });
}
