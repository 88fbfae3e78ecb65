/** What clients do, for Prometheus: calls, pauses, commits and locks in the way, counted. */
import type { Registry } from "prom-client";
import type { ClientEvent } from "../../engine/client/events.ts";
import type { Answer, CallOptions, Transport } from "../../engine/client/ports.ts";
import type { PdCall, PdReply, TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import { LatencyTable } from "../metrics/latency.ts";
import { familiesIn } from "../metrics/registry.ts";
import type { Sample } from "../metrics/registry.ts";

/** Counters of one or more clients, in the registry that the program scrapes anyway. */
export class ClientMetrics {
  readonly #calls = new LatencyTable();
  readonly #commits = new LatencyTable();
  readonly #pauses = new Tally();
  readonly #pausedSeconds = new Tally();
  readonly #cleared = new Tally();

  /** A registry takes one of these: clients share it. */
  constructor(registry: Registry) {
    const families = familiesIn(registry);
    const calls = "Calls of stores and of the placement driver";
    families.addLatency("rutile_client_request_duration_seconds", calls, this.#calls);
    const commits = "Commits, by how they were made or why they failed";
    families.addLatency("rutile_client_commit_duration_seconds", commits, this.#commits);
    const counter = (name: string, help: string, tally: Tally): void =>
      families.add({ name, help, type: "counter", read: () => tally.samples() });
    counter("rutile_client_backoff_total", "Pauses before another attempt", this.#pauses);
    counter("rutile_client_backoff_seconds_total", "Time in such pauses", this.#pausedSeconds);
    counter("rutile_client_locks_cleared_total", "Locks of others cleared away", this.#cleared);
  }

  /** Counts the event. */
  take(event: ClientEvent): void {
    switch (event.message) {
      case "back off":
        this.#pauses.add(event.class, 1);
        this.#pausedSeconds.add(event.class, event.ms / 1000);
        return;
      case "committed":
        this.#commits.observe(event.how, event.ms, false);
        return;
      case "not committed":
        this.#commits.observe(event.reason, event.ms, true);
        return;
      case "lock cleared":
        this.#cleared.add(event.fate, 1);
        return;
      default:
    }
  }

  /** `transport` with its calls counted. */
  measured(transport: Transport): Transport {
    const measure = async <Reply>(
      method: string,
      call: Promise<Answer<Reply>>,
    ): Promise<Answer<Reply>> => {
      const begun = performance.now();
      const answer = await call;
      this.#calls.observe(method, performance.now() - begun, !answer.ok);
      return answer;
    };
    return {
      tikv: (address: string, call: TikvCall, options: CallOptions): Promise<Answer<TikvReply>> =>
        measure(call.method, transport.tikv(address, call, options)),
      pd: (endpoint: string, call: PdCall, options: CallOptions): Promise<Answer<PdReply>> =>
        measure(call.method, transport.pd(endpoint, call, options)),
    };
  }
}

/** Sums by label. */
class Tally {
  readonly #sums = new Map<string, number>();

  add(type: string, amount: number): void {
    this.#sums.set(type, (this.#sums.get(type) ?? 0) + amount);
  }

  samples(): readonly Sample[] {
    return [...this.#sums].map(([type, value]) => ({ labels: { type }, value }));
  }
}
