/**
 * Garbage collection, as the placement driver's leader runs it, but by clients that may fall silent
 * or meet each other, and far more often: old versions go while others read the past.
 */
import { collect, type CollectionPlan } from "../../engine/client/collector.ts";
import type { Client, World } from "../model.ts";
import { between, pick, stream } from "../random.ts";
import { asyncClient } from "./async-client.ts";
import { countOutcome } from "./history.ts";
import { failureOf, libraryOf } from "./library.ts";

export function collectorClient(world: World, node: number, name: string): Client {
  const random = stream(world.streams, name);
  const plan: CollectionPlan = {
    lifeTimeMs: pick(random, [200, 1000, 4000]),
    intervalMs: pick(random, [100, 500, 2000]),
    longestMs: pick(random, [1000, 60_000]),
  };
  return asyncClient(world, node, name, async (ports) => {
    const { cluster } = libraryOf(world, ports);
    for (;;) {
      await ports.clock.sleep(between(random, 1, 2 * plan.intervalMs), undefined);
      if (!world.clientsActive) return;
      world.errands += 1;
      const failure = await failureOf(collect(cluster, plan, undefined));
      countOutcome(world.checks.history, "collect", failure === undefined ? "ok" : "refused");
      world.errands -= 1;
    }
  });
}
