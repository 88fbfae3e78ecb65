/**
 * A client that is wrong about the time: it reads as of timestamps that the oracle never gave, as
 * one with a bad clock or an overflow would. It is refused, or answered what there is; nobody else
 * may notice.
 */
import type { Key } from "../../engine/base/bytes.ts";
import { MAX_TIMESTAMP, composeTimestamp, physicalOf } from "../../engine/base/timestamp.ts";
import type { Client, World } from "../model.ts";
import { pick, pickWeighted, type Random } from "../random.ts";
import { asyncClient } from "./async-client.ts";
import { countOutcome } from "./history.ts";
import { failureOf, libraryOf, PATIENCE, READERS } from "./library.ts";

const MINUTE_MS = 60_000;
/** Further ahead than stores grant the oracle unasked, and than its clock is ever set. */
const AHEAD_MS: readonly number[] = [60 * MINUTE_MS, 24 * 60 * MINUTE_MS, 2 ** 42];
/** As an unsigned number that was negative, and one that was small. */
const ABSURD: readonly bigint[] = [1n << 63n, MAX_TIMESTAMP - 1n];
const THINK_US = 700_000;

/** Reads keys that `draw` gives. */
export function strayClient(
  world: World,
  node: number,
  name: string,
  draw: (random: Random) => Key,
): Client {
  return asyncClient(world, node, name, async (ports, operate) => {
    const { txn } = libraryOf(world, ports);
    await operate(THINK_US, async (random) => {
      const read = async (): Promise<void> => {
        const ahead = physicalOf(await txn.timestamp(PATIENCE)) + pick(random, AHEAD_MS);
        const stray = pick(random, [composeTimestamp(ahead, 0), pick(random, ABSURD)]);
        const from = pickWeighted(random, READERS);
        const snapshot = await txn.snapshot(stray, { ...PATIENCE, ...from });
        await snapshot.get(draw(random), PATIENCE);
      };
      const failure = await failureOf(read());
      countOutcome(world.checks.history, "stray", failure === undefined ? "ok" : "refused");
    });
  });
}
