/**
 * `rutile/client`: the client library over real sockets. See docs/client.md.
 */
import { Cluster, type KeySpace } from "../../engine/client/cluster.ts";
import type { ClientEvent } from "../../engine/client/events.ts";
import { ClientError } from "../../engine/client/errors.ts";
import { TxnClient } from "../../engine/client/transactions.ts";
import { RawClient } from "../../engine/client/raw.ts";
import type { Ports } from "../../engine/client/ports.ts";
import { formatAddress, parseAddress } from "../network/address.ts";
import type { TlsOptions } from "../grpc/client.ts";
import { ClientMetrics } from "./metrics.ts";
import { chance, GrpcTransport, MonotonicClock } from "./transport.ts";

export { ClientError, ClientMetrics, RawClient, TxnClient };
export type { ClientEvent, CommitMode } from "../../engine/client/events.ts";
export type { TlsOptions } from "../grpc/client.ts";
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
  SnapshotOptions,
} from "../../engine/client/snapshot.ts";
export type { ReplicaOptions } from "../../engine/client/reading.ts";

/** How a client is connected, and who is told what it does. */
export interface ConnectOptions {
  /** Told what the client does, for debugging. */
  readonly log?: (event: ClientEvent) => void;
  /** Counts what the client does. */
  readonly metrics?: ClientMetrics;
  /**
   * Encrypts all connections, to stores too. Endpoints with `https://` say so as well, and then the
   * system's certificates are trusted where none are given here.
   */
  readonly tls?: TlsOptions;
}

/** A client and the connections it holds. */
export interface Connected<Client> {
  /** Shared by as many callers at once as there are. */
  readonly client: Client;
  /**
   * Ends what is under way, as `cancelled` or, where a store may have carried it out,
   * `undetermined`, and lets the process end. What transactions still do in the background is left
   * to others, who may have to wait for it: `Transaction.settled` tells when nothing is left.
   */
  readonly close: () => void;
}

/**
 * A raw client of the cluster whose placement driver answers at `endpoints` (`host:port` or
 * `http://host:port`, or with `https://` for TLS; some of its members are enough). Nothing is
 * called before the first operation.
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
  texts: readonly string[],
  space: KeySpace,
  { log, metrics, tls }: ConnectOptions,
): { readonly cluster: Cluster; readonly close: () => void } {
  const endpoints = texts.map((text) => endpointOf(text, tls !== undefined));
  const encrypted = endpoints.some(({ secure }) => secure);
  const transport = new GrpcTransport(tls ?? (encrypted ? {} : undefined));
  const tell = (event: ClientEvent): void => {
    metrics?.take(event);
    log?.(event);
  };
  const clock = new MonotonicClock();
  const ending = new AbortController();
  const ports: Ports = {
    transport: metrics?.measured(transport) ?? transport,
    clock,
    random: chance,
    log: metrics === undefined ? log : tell,
    closed: ending.signal,
  };
  const cluster = new Cluster(
    ports,
    endpoints.map(({ address }) => address),
    space,
  );
  const close = (): void => {
    ending.abort();
    transport.close();
    clock.close();
  };
  return { cluster, close };
}

interface Endpoint {
  readonly address: string;
  readonly secure: boolean;
}

function endpointOf(text: string, encrypted: boolean): Endpoint {
  const secure = text.startsWith("https://");
  if (encrypted && text.startsWith("http://")) {
    throw new ClientError("misuse", `${text} is not encrypted, and TLS is asked for`);
  }
  const address = parseAddress(secure ? text.slice("https://".length) : text);
  if (address === undefined) throw new ClientError("misuse", `not an address: ${text}`);
  return { address: formatAddress(address), secure };
}
