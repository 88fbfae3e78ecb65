/** A healthy simulated cluster for the client library, with which tests talk as users do. */
import { setImmediate as drain } from "node:timers/promises";
import type { Key } from "../../engine/base/bytes.ts";
import { Backoff } from "../../engine/client/backoff.ts";
import type { Ports } from "../../engine/client/ports.ts";
import type { TxnClient } from "../../engine/client/transactions.ts";
import { SplitRegionRequest } from "../../engine/protocol/gen/kvrpcpb.ts";
import { calm } from "../../scenarios/calm.ts";
import { build, DEFAULT_OPTIONS } from "../../sim/build.ts";
import { startLater } from "../../sim/machines/process.ts";
import type { World } from "../../sim/model.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { asyncClient } from "../../sim/workloads/async-client.ts";
import { libraryOf } from "../../sim/workloads/library.ts";
import { runUntil } from "../../sim/world.ts";

const EMPTY: Scenario = {
  ...calm,
  cluster: { stores: [3], members: [1], replicas: [3] },
  workload: { ...calm.workload, registers: 0, inserts: 0, timestamps: 0, splits: 0 },
  settings: "usual",
};

const STEP_US = 10_000;
/** No conversation takes as long in virtual time. */
const PATIENCE_US = 60_000_000;

export class SimulatedCluster {
  readonly #world: World;

  constructor(seed: string) {
    const { world } = build(EMPTY, seed, drain, { ...DEFAULT_OPTIONS, byReference: true });
    for (const machine of world.servers) startLater(world, machine, 1000);
    this.#world = world;
  }

  /** Runs `body` as a client, and the world with it until it has ended. */
  async run(body: (txn: TxnClient, ports: Ports) => Promise<void>): Promise<void> {
    const world = this.#world;
    const talk: { ended: boolean; problem?: Error } = { ended: false };
    const client = asyncClient(world, world.servers.length, "test", async (ports) => {
      try {
        await body(libraryOf(world, ports).txn, ports);
      } catch (error) {
        talk.problem = error instanceof Error ? error : new Error(String(error));
      }
      talk.ended = true;
    });
    client.start();
    const untilUs = world.timeUs + PATIENCE_US;
    while (!talk.ended && world.timeUs < untilUs) {
      await runUntil(world, world.timeUs + STEP_US);
      const { violation } = world.checks;
      if (violation !== undefined) throw new Error(`${violation.check}: ${violation.text}`);
    }
    if (talk.problem !== undefined) throw talk.problem;
    if (!talk.ended) throw new Error("the conversation does not end");
  }

  /** Has a region split at `key`, so that there is one that begins there. */
  split(key: string): Promise<void> {
    return this.run(async (_, ports) => {
      const { cluster } = libraryOf(this.#world, ports);
      const backoff = new Backoff(ports, PATIENCE_US / 1000, undefined);
      const options = { timeoutMs: 1000, repeatable: true } as const;
      await cluster.send(backoff, key as Key, options, (context) => ({
        method: "SplitRegion",
        request: SplitRegionRequest.make({ context, splitKeys: [key as Key] }),
      }));
    });
  }
}
