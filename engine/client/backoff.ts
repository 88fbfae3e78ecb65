/**
 * How long to wait before an operation is tried again: exponential by class of trouble, with
 * jitter, within one budget for the whole operation. Classes, bounds and jitter are those of the
 * Go client, so that a cluster meets the load it was built for.
 */
import { ClientError } from "./errors.ts";
import type { Ports, Signal } from "./ports.ts";

export type BackoffClass =
  /** A store did not answer. */
  | "store_rpc"
  /** The placement driver did not answer. */
  | "placement_rpc"
  /** What is known of a region is out of date. */
  | "region_miss"
  /** The region has no leader at the moment. */
  | "region_scheduling"
  | "stale_command"
  | "server_busy"
  | "disk_full"
  | "max_timestamp_not_synced"
  | "not_ready"
  /** Somebody's lock is in the way of a write. */
  | "lock"
  /** Somebody's lock is in the way of a read. */
  | "lock_fast"
  /** A transaction is met whose first lock has not been written yet. */
  | "transaction_not_found";

interface Class {
  readonly baseMs: number;
  readonly capMs: number;
  readonly jitter: "none" | "equal";
}

const CLASSES: Readonly<Record<BackoffClass, Class>> = {
  store_rpc: { baseMs: 100, capMs: 2000, jitter: "equal" },
  placement_rpc: { baseMs: 500, capMs: 3000, jitter: "equal" },
  region_miss: { baseMs: 2, capMs: 500, jitter: "none" },
  region_scheduling: { baseMs: 2, capMs: 500, jitter: "none" },
  stale_command: { baseMs: 2, capMs: 1000, jitter: "none" },
  server_busy: { baseMs: 2000, capMs: 10_000, jitter: "equal" },
  disk_full: { baseMs: 500, capMs: 5000, jitter: "none" },
  max_timestamp_not_synced: { baseMs: 2, capMs: 500, jitter: "none" },
  not_ready: { baseMs: 2, capMs: 1000, jitter: "none" },
  lock: { baseMs: 100, capMs: 3000, jitter: "equal" },
  lock_fast: { baseMs: 10, capMs: 3000, jitter: "equal" },
  transaction_not_found: { baseMs: 2, capMs: 500, jitter: "none" },
};

/** The waits of one operation. */
export class Backoff {
  readonly #ports: Ports;
  readonly #deadlineMs: number;
  readonly #signal: Signal | undefined;
  readonly #attempts = new Map<BackoffClass, number>();
  #slept = 0;
  #last = "";
  /**
   * Whether a call was lost: then nobody knows whether it was carried out, nor whether it still
   * will be. A later answer does not change that, be it to another call or to the same one.
   */
  uncertain = false;
  /** Whether a store was given any call, whatever became of it. */
  reached = false;

  /** The operation may take `budgetMs` in all. */
  constructor(ports: Ports, budgetMs: number, signal: Signal | undefined) {
    this.#ports = ports;
    this.#deadlineMs = ports.clock.nowMs() + budgetMs;
    this.#signal = signal;
  }

  get signal(): Signal | undefined {
    return this.#signal;
  }

  /** Milliseconds left, at most `limitMs`, for one call. Throws where nothing is left. */
  timeoutMs(limitMs: number): number {
    this.check();
    return Math.max(1, Math.min(limitMs, this.#deadlineMs - this.#ports.clock.nowMs()));
  }

  /** Throws where the operation is cancelled or out of time, or the client closed. */
  check(): void {
    if (this.#signal?.aborted === true) throw new ClientError("cancelled", "cancelled");
    if (this.#ports.closed?.aborted === true) {
      throw new ClientError("cancelled", "the client was closed");
    }
    if (this.#ports.clock.nowMs() >= this.#deadlineMs) throw this.#timeout();
  }

  /**
   * Waits as long as the class asks for, or `atLeastMs`. `because` is a phrase for people.
   * Throws where the budget does not allow it.
   */
  async wait(kind: BackoffClass, because: string, atLeastMs = 0): Promise<void> {
    this.#last = because;
    this.check();
    const attempt = this.#attempts.get(kind) ?? 0;
    this.#attempts.set(kind, attempt + 1);
    const ms = Math.max(atLeastMs, this.#draw(CLASSES[kind], attempt));
    if (this.#ports.clock.nowMs() + ms >= this.#deadlineMs) throw this.#timeout();
    this.#ports.log?.({ message: "back off", class: kind, ms, because, attempt });
    this.#slept += ms;
    await this.#ports.clock.sleep(ms, this.#signal);
    this.check();
  }

  #draw({ baseMs, capMs, jitter }: Class, attempt: number): number {
    const ms = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 16));
    return jitter === "none" ? ms : ms / 2 + this.#ports.random.next() * (ms / 2);
  }

  #timeout(): ClientError {
    const why = this.#last === "" ? "" : `: ${this.#last}`;
    return new ClientError(
      "timeout",
      `out of time after waiting ${Math.round(this.#slept)} ms${why}`,
    );
  }
}
