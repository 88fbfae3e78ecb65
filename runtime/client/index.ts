/**
 * `rutile/client`: the client library over real sockets. See docs/client.md.
 */
import { Cluster, type KeySpace } from "../../engine/client/cluster.ts";
import { ClientError } from "../../engine/client/errors.ts";
import { TxnClient } from "../../engine/client/transactions.ts";
import { RawClient } from "../../engine/client/raw.ts";
import type { Ports } from "../../engine/client/ports.ts";
import { formatAddress, parseAddress } from "../address.ts";
import { chance, GrpcTransport, monotonicClock } from "./transport.ts";

export { ClientError, RawClient, TxnClient };
export type { FailureReason } from "../../engine/client/errors.ts";
export type { BytesLike, KeyValue } from "../../engine/client/bytes.ts";
export type { RawOptions, RawPutOptions, RawScanOptions, Swap } from "../../engine/client/raw.ts";

export type { RetryOptions } from "../../engine/client/transactions.ts";
export type { Transaction, TransactionOptions } from "../../engine/client/transaction.ts";
export type {
  Isolation,
  ReadOptions,
  ScanOptions,
  Snapshot,
} from "../../engine/client/snapshot.ts";

export interface ConnectOptions {
  /** Told what the client does, for debugging. */
  readonly log?: Ports["log"];
}

/** A client and the connections it holds. */
export interface Connected<Client> {
  readonly client: Client;
  /** Ends what is under way and lets the process end. */
  readonly close: () => void;
}

/**
 * A raw client of the cluster whose placement driver answers at `endpoints` (`host:port` or
 * `http://host:port`; some of its members are enough). Nothing is called before the first
 * operation.
 */
export function connectRaw(
  endpoints: readonly string[],
  options: ConnectOptions = {},
): Connected<RawClient> {
  const { cluster, close } = connect(endpoints, "raw", options);
  return { client: new RawClient(cluster), close };
}

/** A transactional client of the cluster, as `connectRaw`. */
export function connectTxn(
  endpoints: readonly string[],
  options: ConnectOptions = {},
): Connected<TxnClient> {
  const { cluster, close } = connect(endpoints, "transactional", options);
  return { client: new TxnClient(cluster), close };
}

function connect(
  endpoints: readonly string[],
  space: KeySpace,
  { log }: ConnectOptions,
): { readonly cluster: Cluster; readonly close: () => void } {
  const transport = new GrpcTransport();
  const ports: Ports = { transport, clock: monotonicClock, random: chance, log };
  const cluster = new Cluster(ports, endpoints.map(endpointOf), space);
  return { cluster, close: () => transport.close() };
}

function endpointOf(text: string): string {
  const address = parseAddress(text);
  if (address === undefined) throw new ClientError("misuse", `not an address: ${text}`);
  return formatAddress(address);
}
