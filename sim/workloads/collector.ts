/**
 * Garbage collection, as the placement driver's leader runs it, but by clients that may fall silent
 * or meet each other, and far more often: old versions go while others read the past.
 */
import { collect, type CollectionPlan } from "../../engine/client/collector.ts";
import type { Client, World } from "../model.ts";
import { seededDraws } from "../decisions/decisions.ts";
import { pick } from "../random.ts";
import { asyncClient } from "./async-client.ts";
import { countOutcome } from "./history.ts";
import { failureOf, libraryOf } from "./library.ts";

export function collectorClient(
  world: World,
  node: number,
  name: string,
  lifeTimesMs: readonly number[],
): Client {
  const random = seededDraws(world.decisions, `client/${name}`);
  const plan: CollectionPlan = {
    lifeTimeMs: pick(random, lifeTimesMs),
    intervalMs: pick(random, [100, 500, 2000]),
    longestMs: pick(random, [1000, 60_000]),
  };
  return asyncClient(world, node, name, async (ports, operate) => {
    const { cluster } = libraryOf(world, ports);
    await operate(plan.intervalMs * 1000, async () => {
      const failure = await failureOf(collect(cluster, plan, undefined));
      countOutcome(world.checks.history, "collect", failure === undefined ? "ok" : "refused");
    });
  });
}
