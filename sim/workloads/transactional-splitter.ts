/** Has regions split between the keys of transactions. */
import type { Key } from "../../engine/base/bytes.ts";
import { Backoff } from "../../engine/client/backoff.ts";
import { SplitRegionRequest } from "../../engine/protocol/gen/kvrpcpb.ts";
import type { Client, World } from "../model.ts";
import { between, type Random, stream } from "../random.ts";
import { narrate } from "../trace/trace.ts";
import { asyncClient } from "./async-client.ts";
import { countOutcome } from "./history.ts";
import { failureOf, libraryOf, PATIENCE } from "./library.ts";

/** Splits at most `most` times, at keys that `draw` gives. */
export function transactionalSplitter(
  world: World,
  node: number,
  name: string,
  most: number,
  draw: (random: Random) => Key,
): Client {
  const random = stream(world.streams, name);
  return asyncClient(world, node, name, async (ports) => {
    const { cluster } = libraryOf(world, ports);
    for (let done = 0; done < most;) {
      await ports.clock.sleep(between(random, 1, 3000), undefined);
      if (!world.clientsActive) return;
      const key = draw(random);
      const backoff = new Backoff(ports, PATIENCE.timeoutMs, undefined);
      const sent = cluster.send(backoff, key, { ...PATIENCE, repeatable: true }, (context) => ({
        method: "SplitRegion",
        request: SplitRegionRequest.make({ context, splitKeys: [key] }),
      }));
      const failure = await failureOf(sent);
      countOutcome(world.checks.history, "split", failure === undefined ? "ok" : "unknown");
      if (failure !== undefined) continue;
      done += 1;
      narrate(world.trace, world.timeUs, "cluster", `a region is split at ${key}`);
    }
  });
}
