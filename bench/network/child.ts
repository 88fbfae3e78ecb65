/**
 * One measurement of ours in the network benchmark, in a process of its own: `plain LOAD` or
 * `database SEEDS`, both as JSON, with `bytes` or `reference` behind them. Sends a `Figure`.
 */
import { setImmediate as drain } from "node:timers/promises";
import { calm } from "../../scenarios/calm.ts";
import { DEFAULT_OPTIONS } from "../../sim/build.ts";
import type { World } from "../../sim/model.ts";
import { runSeed } from "../../sim/run.ts";
import { clusterOf, deliver } from "./cluster.ts";
import type { Figure, Load } from "./load.ts";

function plain({ warmUp, messages, ...load }: Load, byReference: boolean): Figure {
  const cluster = clusterOf({ warmUp, messages, ...load }, byReference);
  deliver(cluster, warmUp);
  const before = process.cpuUsage();
  deliver(cluster, warmUp + messages);
  const { user, system } = process.cpuUsage(before);
  return { messages, cpuUs: user + system };
}

/** Whole seeds of the calm scenario; the first half of them warms up. */
async function database(seeds: number, byReference: boolean): Promise<Figure> {
  let messages = 0;
  const inspect = (world: World): void => void (messages += sent(world));
  const play = async (seed: number): Promise<void> => {
    const options = { ...DEFAULT_OPTIONS, byReference, inspect };
    const { violation } = await runSeed(calm, String(seed), drain, options);
    if (violation !== undefined) throw new Error(violation.text);
  };
  for (let seed = 0; seed < seeds; seed += 1) await play(seed);
  messages = 0;
  const before = process.cpuUsage();
  for (let seed = seeds; seed < 2 * seeds; seed += 1) await play(seed);
  const { user, system } = process.cpuUsage(before);
  return { messages, cpuUs: user + system };
}

/** Messages, requests and answers that the network has carried. */
function sent({ network }: World): number {
  let count = network.duplicated - network.lost;
  for (const family of Object.values(network.lanes.types)) {
    for (const { lanes } of family.values()) {
      for (const lane of lanes) count += lane?.sent ?? 0;
    }
  }
  return count;
}

const [what, said = "", way] = process.argv.slice(2);
const told: unknown = JSON.parse(said);
const byReference = way === "reference";
process.send?.(
  what === "plain" ? plain(told as Load, byReference) : await database(Number(told), byReference),
);
