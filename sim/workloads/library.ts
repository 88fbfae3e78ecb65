/** What all clients of the client library share: how they use it, and the ways of committing. */
import { Cluster } from "../../engine/client/cluster.ts";
import { ClientError } from "../../engine/client/errors.ts";
import type { Ports } from "../../engine/client/ports.ts";
import type { ReplicaOptions } from "../../engine/client/reading.ts";
import type { TransactionOptions } from "../../engine/client/transaction.ts";
import { TxnClient } from "../../engine/client/transactions.ts";
import type { TikvCall } from "../../engine/protocol/services.ts";
import type { World } from "../model.ts";
import { pick, pickWeighted, type Random } from "../random.ts";
import { endpointsOf } from "./async-client.ts";

/** One way of running a transaction. */
export interface Mode {
  /** In words. */
  readonly how: string;
  readonly options: Required<TransactionOptions> & ReplicaOptions;
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

/** Who is asked to read a snapshot, or the snapshot of a transaction, by weight. */
export const READERS: readonly (readonly [weight: number, from: ReplicaOptions])[] = [
  [4, {}],
  [2, { replicaRead: "follower" }],
  [1, { replicaRead: "any" }],
  [3, { staleRead: true }],
];

/** Which ways of committing the library is allowed, besides two phases. */
const COMMITS = [
  { commit: "two-phase", asyncCommit: false, onePC: false },
  { commit: "async", asyncCommit: true, onePC: false },
  { commit: "one-phase", asyncCommit: false, onePC: true },
  { commit: "async or one-phase", asyncCommit: true, onePC: true },
] as const;

export function mixOf(random: Random): Mix {
  const mix = [false, true].flatMap((pessimistic) =>
    COMMITS.map(({ commit, asyncCommit, onePC }) => {
      const options = {
        pessimistic,
        asyncCommit,
        onePC,
        lockTtlMs: pick(random, LOCK_TTLS_MS),
        ...pickWeighted(random, READERS),
      };
      const how = `${pessimistic ? "pessimistic" : "optimistic"} ${commit}`;
      return [pick(random, [0, 1, 4]), { how, options }] as const;
    }),
  );
  const [first] = mix;
  const drawn = mix.some(([weight]) => weight > 0) || first === undefined;
  return drawn ? mix : [[1, first[1]]];
}

/** How far above their floor commit timestamps may be calculated, in milliseconds, by seed. */
const BOUNDS_MS = [undefined, undefined, 0, 2, 20];

export const boundOf = (random: Random): number | undefined => pick(random, BOUNDS_MS);

/**
 * `ports` for a client that lets no commit timestamp be calculated far above what it asked for: as
 * TiDB's do, whose view of the schema holds for a while only. Above that stores fall back to two
 * phases, each for the keys of its own.
 */
export function boundedCommits(ports: Ports, boundMs: number | undefined): Ports {
  if (boundMs === undefined) return ports;
  const { transport } = ports;
  const bounded = (call: TikvCall): TikvCall => {
    if (call.method !== "KvPrewrite") return call;
    const { request } = call;
    const maxCommitTs = request.minCommitTs + (BigInt(boundMs) << 18n);
    return { method: "KvPrewrite", request: { ...request, maxCommitTs } };
  };
  return {
    ...ports,
    transport: {
      ...transport,
      tikv: (address, call, options) => transport.tikv(address, bounded(call), options),
    },
  };
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
