/**
 * The client library's ports for real: gRPC to stores and to the placement driver, the monotonic
 * clock, chance.
 */
import type { CallOptions, Clock, Transport } from "../../engine/client/ports.ts";
import type { Answer, CallFailure, Random, Signal } from "../../engine/client/ports.ts";
import type { BatchCommandsRequest_Request } from "../../engine/protocol/gen/tikvpb.ts";
import { PD_SERVICE, replyOfBatchResponse, TIKV_SERVICE } from "../../engine/protocol/services.ts";
import type { PdCall, PdReply, TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import { createGrpcClient } from "../grpc/client.ts";
import type { GrpcClient, TlsOptions } from "../grpc/client.ts";
import type { Method } from "../grpc/method.ts";
import * as status from "../grpc/status.ts";
import type { Status } from "../grpc/status.ts";
import { commandOf, CommandStream } from "./commands.ts";
import { TimestampStream } from "./timestamps.ts";

/** Connections to all addresses that were ever called, one each. */
export class GrpcTransport implements Transport {
  readonly #tls: TlsOptions | undefined;
  readonly #clients = new Map<string, GrpcClient>();
  readonly #timestamps = new Map<string, TimestampStream>();
  readonly #commands = new Map<string, CommandStream>();
  #closed = false;

  /** Everything is encrypted where `tls` is given, and nothing where it is not. */
  constructor(tls?: TlsOptions) {
    this.#tls = tls;
  }

  async tikv(address: string, call: TikvCall, options: CallOptions): Promise<Answer<TikvReply>> {
    const command = commandOf(call);
    if (command !== undefined) {
      const answer = await this.#command(address, command, options);
      if (answer !== undefined) return answer;
      // The store refuses it, and alone it is told why.
    }
    const method = TIKV_SERVICE.methods[call.method];
    return this.#unary(address, method, call, options) as Promise<Answer<TikvReply>>;
  }

  async pd(endpoint: string, call: PdCall, options: CallOptions): Promise<Answer<PdReply>> {
    if (call.method === "Tso") return this.#timestamp(endpoint, call.request, options);
    const method = PD_SERVICE.methods[call.method];
    return this.#unary(endpoint, method, call, options) as Promise<Answer<PdReply>>;
  }

  /** Ends what is under way. Every later call is answered as cancelled. */
  close(): void {
    this.#closed = true;
    for (const stream of this.#timestamps.values()) stream.close();
    for (const stream of this.#commands.values()) stream.close();
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  /** Undefined where the answer has no content. */
  async #command(
    address: string,
    command: BatchCommandsRequest_Request,
    { timeoutMs, signal }: CallOptions,
  ): Promise<Answer<TikvReply> | undefined> {
    if (signal?.aborted === true || this.#closed) return CANCELLED;
    let stream = this.#commands.get(address);
    if (stream === undefined) {
      stream = new CommandStream(this.#client(address));
      this.#commands.set(address, stream);
    }
    const result = await stream.ask(command, timeoutMs, signal);
    if (!result.ok) return failed(result, signal);
    const reply = replyOfBatchResponse(result.response);
    return reply === undefined ? undefined : { ok: true, reply };
  }

  async #unary(
    address: string,
    method: unknown,
    { method: name, request }: { readonly method: string; readonly request: unknown },
    { timeoutMs, signal }: CallOptions,
  ): Promise<Answer<unknown>> {
    if (signal?.aborted === true || this.#closed) return CANCELLED;
    const result = await this.#client(address).unary(method as Method, request, {
      timeoutMs,
      // Users hand in real ones; the library asks for less.
      ...(signal === undefined ? {} : { signal: signal as AbortSignal }),
    });
    if (result.ok) return { ok: true, reply: { method: name, response: result.response } };
    return failed(result, signal);
  }

  async #timestamp(
    endpoint: string,
    request: Extract<PdCall, { method: "Tso" }>["request"],
    { timeoutMs, signal }: CallOptions,
  ): Promise<Answer<PdReply>> {
    if (this.#closed) return CANCELLED;
    let stream = this.#timestamps.get(endpoint);
    if (stream === undefined) {
      stream = new TimestampStream(this.#client(endpoint));
      this.#timestamps.set(endpoint, stream);
    }
    const result = await stream.ask(request, timeoutMs);
    if (result.ok) return { ok: true, reply: { method: "Tso", response: result.response } };
    return failed(result, signal);
  }

  #client(address: string): GrpcClient {
    let client = this.#clients.get(address);
    if (client === undefined) {
      client = createGrpcClient(address, this.#tls);
      this.#clients.set(address, client);
    }
    return client;
  }
}

const CANCELLED: { readonly ok: false } & CallFailure = {
  ok: false,
  reason: "cancelled",
  code: status.CANCELLED,
  message: "cancelled",
};

/**
 * A server that is not there has not done anything; but a connection that breaks looks the same, so
 * only a status that a server itself has sent counts as a refusal.
 */
function failed(
  { code, message }: Status,
  signal: Signal | undefined,
): { readonly ok: false } & CallFailure {
  if (signal?.aborted === true) return CANCELLED;
  const lost =
    code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED || code === status.CANCELLED;
  return { ok: false, reason: lost ? "lost" : "refused", code, message };
}

/** Real time, until it is closed: then nobody sleeps any more. */
export class MonotonicClock implements Clock {
  readonly #sleepers = new Set<() => void>();
  #closed = false;

  nowMs(): number {
    return performance.now();
  }

  sleep(ms: number, signal: Signal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      if (this.#closed || signal?.aborted === true) {
        wake();
        return;
      }
      this.#sleepers.add(wake);
      signal?.addEventListener("abort", wake);
    });
  }

  /** Wakes all sleepers, so that no timer keeps the process. */
  close(): void {
    this.#closed = true;
    for (const wake of this.#sleepers) wake();
  }
}

export const chance: Random = { next: () => Math.random() };
