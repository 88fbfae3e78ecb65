/** What all clients of the client library share: how they use it, and the ways of committing. */
import { Cluster } from "../../engine/client/cluster.ts";
import { ClientError } from "../../engine/client/errors.ts";
import type { Ports } from "../../engine/client/ports.ts";
import type { ReplicaOptions } from "../../engine/client/reading.ts";
import type { TransactionOptions } from "../../engine/client/transaction.ts";
import { TxnClient } from "../../engine/client/transactions.ts";
import type { World } from "../model.ts";
import { pick, type Random } from "../random.ts";
import { endpointsOf } from "./async-client.ts";

/** One way of running a transaction. */
export interface Mode {
  /** In words. */
  readonly how: string;
  readonly options: Required<TransactionOptions>;
}

/** Modes by weight; some seeds lack some of them. */
export type Mix = readonly (readonly [weight: number, mode: Mode])[];

/** Every operation of the library may take this long, and is tried so often. */
export const PATIENCE: { readonly timeoutMs: number; readonly attempts: number } = {
  timeoutMs: 5000,
  attempts: 5,
};

/** From less than a message takes on a bad network to the library's own. */
const LOCK_TTLS_MS: readonly number[] = [300, 1000, 3000, 20_000];

/** Who is asked to read a snapshot, by weight. */
export const READERS: readonly (readonly [weight: number, from: ReplicaOptions])[] = [
  [4, {}],
  [2, { replicaRead: "follower" }],
  [1, { replicaRead: "any" }],
  [3, { staleRead: true }],
];

export function mixOf(random: Random): Mix {
  const mix = [false, true].flatMap((pessimistic) =>
    (["two-phase", "async", "one-phase"] as const).map((commit) => {
      const options = {
        pessimistic,
        asyncCommit: commit === "async",
        onePC: commit === "one-phase",
        lockTtlMs: pick(random, LOCK_TTLS_MS),
      };
      const how = `${pessimistic ? "pessimistic" : "optimistic"} ${commit}`;
      return [pick(random, [0, 1, 4]), { how, options }] as const;
    }),
  );
  const [first] = mix;
  const drawn = mix.some(([weight]) => weight > 0) || first === undefined;
  return drawn ? mix : [[1, first[1]]];
}

/** A client library on its own, as each process of a user has one. */
export function libraryOf(
  world: World,
  ports: Ports,
): { readonly cluster: Cluster; readonly txn: TxnClient } {
  const cluster = new Cluster(ports, endpointsOf(world), "transactional");
  return { cluster, txn: new TxnClient(cluster) };
}

/** What the operation rejects with, if that is something a client may be told. */
export async function failureOf(operation: Promise<unknown>): Promise<ClientError | undefined> {
  try {
    await operation;
    return undefined;
  } catch (error) {
    if (error instanceof ClientError) return error;
    throw error;
  }
}
