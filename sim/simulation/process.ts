/**
 * One process of a user's program: a node of the simulated network, with clients of its own, which
 * learn by themselves where regions are.
 */
import { Backoff } from "../../engine/client/backoff.ts";
import { type BytesLike, keyOf } from "../../engine/client/bytes.ts";
import { Cluster } from "../../engine/client/cluster.ts";
import type { Ports } from "../../engine/client/ports.ts";
import { RawClient } from "../../engine/client/raw.ts";
import { TxnClient } from "../../engine/client/transactions.ts";
import { SplitRegionRequest } from "../../engine/protocol/gen/kvrpcpb.ts";

export interface SimulatedProcess {
  /** `process 1`, `process 2`, …: as the story calls it. */
  readonly name: string;
  /** Raw and transactional keys share one space: a program keeps them apart, as with TiKV. */
  readonly raw: RawClient;
  readonly txn: TxnClient;
  /** Virtual milliseconds since the simulation began. */
  readonly nowMs: () => number;
  /** Sleeps in virtual time, which costs none. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Uniform in [0, 1), from the seed. */
  readonly random: () => number;
  /** An integer in [0, count), from the seed. */
  readonly below: (count: number) => number;
  /**
   * Has the region of the transactional key `key` split there, so that keys on its two sides are in
   * different regions. Rejects with a `ClientError` where that fails.
   */
  readonly split: (key: BytesLike) => Promise<void>;
}

const SPLIT_WITHIN_MS = 20_000;

export function processOf(
  name: string,
  ports: Ports,
  endpoints: readonly string[],
): SimulatedProcess {
  const cluster = new Cluster(ports, endpoints, "transactional");
  const random = (): number => ports.random.next();
  return {
    name,
    raw: new RawClient(new Cluster(ports, endpoints, "raw")),
    txn: new TxnClient(cluster),
    nowMs: () => ports.clock.nowMs(),
    sleep: (ms) => ports.clock.sleep(ms, undefined),
    random,
    below: (count) => Math.floor(random() * count),
    async split(key) {
      const border = keyOf(key);
      const backoff = new Backoff(ports, SPLIT_WITHIN_MS, undefined);
      const options = { timeoutMs: SPLIT_WITHIN_MS, repeatable: true } as const;
      await cluster.send(backoff, border, options, (context) => ({
        method: "SplitRegion",
        request: SplitRegionRequest.make({ context, splitKeys: [border] }),
      }));
    },
  };
}
