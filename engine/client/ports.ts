/**
 * What the client library needs of the world around it. The runtime gives it sockets, a clock and
 * chance; the simulator gives it a world of its own. This room alone of the engine is asynchronous,
 * so that the code of its users reads as it always does.
 */
import type { ClientEvent } from "./events.ts";
import type { PdCall, PdReply, TikvCall, TikvReply } from "../protocol/services.ts";

export interface Ports {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  /** Told what the client does; undefined for nobody. */
  readonly log: ((event: ClientEvent) => void) | undefined;
  /** Aborted when the client is closed: whatever goes on then ends `cancelled`, soon. */
  readonly closed?: Pick<Signal, "aborted">;
}

export interface Transport {
  /** Calls the store at `address` (`host:port`). Never rejects. */
  tikv(address: string, call: TikvCall, options: CallOptions): Promise<Answer<TikvReply>>;
  /** Calls the placement driver's member at `endpoint`. Never rejects. */
  pd(endpoint: string, call: PdCall, options: CallOptions): Promise<Answer<PdReply>>;
}

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal: Signal | undefined;
}

export type Answer<Reply> =
  { readonly ok: true; readonly reply: Reply } | ({ readonly ok: false } & CallFailure);

export interface CallFailure {
  /**
   * `refused`: the server answered with a status, and did nothing. `lost`: no answer came, and
   * whether the call was carried out is not known.
   */
  readonly reason: "refused" | "lost" | "cancelled";
  /** gRPC status. */
  readonly code: number;
  readonly message: string;
}

export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  nowMs(): number;
  /** Resolves after `ms`, or as soon as `signal` is aborted. */
  sleep(ms: number, signal: Signal | undefined): Promise<void>;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}

/** As much of an `AbortSignal` as is needed. */
export interface Signal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}
